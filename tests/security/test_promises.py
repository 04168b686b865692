"""The page on security names the tests that prove it: they have to be there."""

from __future__ import annotations

import re

import pytest

from tests.services.environment import ROOT

NAMED = sorted(set(re.findall(r"`((?:tests/|\.ci/)[\w./]*|Makefile|requirements\.txt)`",
                              (ROOT / "docs" / "security.md").read_text(encoding="utf-8"))))  # fmt: skip


@pytest.mark.parametrize("name", NAMED)
def test_it_is_there(name: str) -> None:
    path = ROOT / name
    assert path.is_dir() or path.read_text(encoding="utf-8").strip()


@pytest.mark.parametrize("path", sorted((ROOT / "tests" / "security").glob("test_*.py")), ids=lambda path: path.stem)
def test_it_is_named(path: object) -> None:
    own = str(path).rpartition("/")[2]
    assert own == "test_promises.py" or f"tests/security/{own}" in NAMED
