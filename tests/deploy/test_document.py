from __future__ import annotations

import re

import pytest

from tests.services import environment

DOCUMENT = (environment.ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")


def test_it_names_only_variables_that_exist() -> None:
    named = set(re.findall(r"\b([A-Z]{3,}(?:_[A-Z]+)+)(?==|`| )", DOCUMENT))
    assert [name for name in named - {"ENV_FILE"} if not environment.is_ours(name)] == []


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:deploy|tests|docs)/[\w./@-]+)`", DOCUMENT))))
def test_it_names_only_files_that_exist(path: str) -> None:
    assert (environment.ROOT / path).exists() or path == "deploy/secrets"


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([\w./]+\.md)\)", DOCUMENT))))
def test_it_links_only_to_pages_that_exist(link: str) -> None:
    assert (environment.ROOT / "docs" / link).is_file()


@pytest.mark.parametrize("anchor", sorted(set(re.findall(r"\]\(#([\w-]+)\)", DOCUMENT))))
def test_it_links_only_to_chapters_that_exist(anchor: str) -> None:
    titles = re.findall(r"^#+ (.+)$", DOCUMENT, re.MULTILINE)
    assert anchor in {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("command", sorted(set(re.findall(r"manage\.py (\w+)", DOCUMENT))))
def test_it_names_only_commands_that_exist(command: str) -> None:
    from django.core.management import get_commands

    assert command in get_commands()
