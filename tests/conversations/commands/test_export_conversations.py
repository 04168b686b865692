from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from conversations.models import Conversation, User
from tests.conversations.commands.running import run
from tests.conversations.stored import a_turn, converse, end, regenerate, start

pytestmark = pytest.mark.django_db


def exported(*arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run("export_conversations", *arguments).out.splitlines()]


def ids(*arguments: str) -> list[str]:
    return [line["conversation"]["conversation_id"] for line in exported(*arguments)]


def test_it_writes_a_line_for_each_conversation() -> None:
    converse(("Hello", "Hi"), conversation_id="a")
    converse(("Hello", "Hi"), conversation_id="b")
    assert ids() == ["a", "b"]


def test_it_writes_what_was_said() -> None:
    converse(("Hello", "Hi"), ("And?", "So"))
    assert [message["content"] for message in exported()[0]["messages"]] == ["Hello", "Hi", "And?", "So"]


def test_it_writes_every_branch() -> None:
    begun = converse(("Hello", "Hi"))
    end(start(regenerate(begun[0].message_id)), "Hey")
    replies = exported()[0]["messages"][1:]
    assert [(reply["content"], reply["active"]) for reply in replies] == [("Hi", False), ("Hey", True)]


def test_it_writes_only_those_that_are_named() -> None:
    for name in ("a", "b", "c"):
        converse(("Hello", "Hi"), conversation_id=name)
    assert ids("a", "c") == ["a", "c"]


@pytest.mark.parametrize(("arguments", "expected"), [(["--owner", "ada"], "hers"), (["--without-owner"], "session-1")])
def test_it_writes_only_those_of_an_owner(arguments: list[str], expected: str) -> None:
    ada = User.objects.create_user("ada")
    start(a_turn("Hello", conversation_id="hers", owner_id=ada.pk))
    converse(("Hello", "Hi"))
    assert ids(*arguments) == [expected]


def test_it_writes_who_owns_a_conversation() -> None:
    start(a_turn("Hello", owner_id=User.objects.create_user("ada").pk))
    assert exported()[0]["owner"] == "ada"


def test_it_writes_to_a_file(tmp_path: Path) -> None:
    converse(("Hello", "Hi"))
    run("export_conversations", "--output", tmp_path / "all.jsonl")
    assert (tmp_path / "all.jsonl").read_bytes().count(b"\n") == 1


def test_it_lets_nobody_else_read_the_file(tmp_path: Path) -> None:
    run("export_conversations", "--output", tmp_path / "all.jsonl")
    assert (tmp_path / "all.jsonl").stat().st_mode & 0o777 == 0o600


def test_it_leaves_no_half_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    converse(("Hello", "Hi"))
    monkeypatch.setattr("conversations.commands.exporting.json_message", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run("export_conversations", "--output", tmp_path / "all.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_it_says_that_a_file_cannot_be_written(tmp_path: Path) -> None:
    ran = run("export_conversations", "--output", tmp_path / "nowhere" / "all.jsonl")
    assert (ran.code, "cannot be written" in ran.error) == (1, True)


def test_it_knows_no_stranger() -> None:
    assert run("export_conversations", "--owner", "nobody").error == "There is no user nobody."


def test_it_reads_few_conversations_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conversations.commands.exporting.READ_AT_ONCE", 2)
    Conversation.objects.bulk_create(Conversation(public_id=str(number)) for number in range(5))
    assert len(ids()) == 5
