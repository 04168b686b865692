from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from knox.models import AuthToken

from conversations.models import DailyUsage, User
from tests.conversations.commands.running import run
from tests.conversations.stored import a_turn, converse, end, start

pytestmark = pytest.mark.django_db


@pytest.fixture
def told() -> dict[str, Any]:
    """What is told of Ada, who has said something in two conversations."""
    ada = User.objects.create_user("ada", email="ada@example.org", password="correct horse")
    for name in ("a", "b"):
        end(start(a_turn("Hello", conversation_id=name, owner_id=ada.pk)), "Hi")
    converse(("Secret", "Yes"), conversation_id="nobody")
    AuthToken.objects.create(user=ada)
    DailyUsage.objects.create(day="2026-01-05", owner_id=ada.pk, provider="gpt", model="gpt-4o", requests=3)
    DailyUsage.objects.create(day="2026-01-05", owner_id=ada.pk + 1, provider="gpt", model="gpt-4o", requests=5)
    found: dict[str, Any] = json.loads(run("export_owner", "ada").out)
    return found


def test_it_tells_of_the_account(told: dict[str, Any]) -> None:
    assert (told["account"]["username"], told["account"]["email"]) == ("ada", "ada@example.org")


def test_it_tells_no_secret(told: dict[str, Any]) -> None:
    assert "password" not in json.dumps(told)
    assert set(told["tokens"][0]) == {"created", "expiry"}


def test_it_tells_what_was_used(told: dict[str, Any]) -> None:
    assert [row["requests"] for row in told["usage"]] == [3]


def test_it_tells_every_conversation(told: dict[str, Any]) -> None:
    assert [each["conversation"]["conversation_id"] for each in told["conversations"]] == ["a", "b"]


def test_it_tells_what_was_said(told: dict[str, Any]) -> None:
    assert [message["content"] for message in told["conversations"][0]["messages"]] == ["Hello", "Hi"]


def test_it_tells_of_somebody_who_never_said_a_thing() -> None:
    User.objects.create_user("grace")
    assert json.loads(run("export_owner", "grace").out)["conversations"] == []


def test_it_writes_to_a_file(tmp_path: Path) -> None:
    User.objects.create_user("grace")
    run("export_owner", "grace", "--output", tmp_path / "grace.json")
    assert json.loads((tmp_path / "grace.json").read_text())["account"]["username"] == "grace"


def test_it_knows_no_stranger() -> None:
    assert run("export_owner", "nobody").error == "There is no user nobody."
