from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from conversations.api.listing import entry
from conversations.models import Conversation, Message, User
from tests.conversations.commands.running import Ran, run
from tests.conversations.stored import a_turn, converse, end, regenerate, shown, start

pytestmark = pytest.mark.django_db

KEPT = ("public_id", "role", "content", "active", "status", "provider", "model", "error", "input_tokens", "created_at")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A conversation with two branches and a reply under way, exported, and then erased here."""
    begun = converse(("Hello", "Hi"), ("And?", "So"))
    end(
        start(regenerate(begun[1].message_id)),
        "So what",
        provider="gpt",
        model="gpt-4o",
        input_tokens=3,
        output_tokens=4,
    )
    start(a_turn("Once more"))
    run("export_conversations", "--output", tmp_path / "all.jsonl")
    Conversation.objects.all().delete()
    return tmp_path / "all.jsonl"


def document(**changes: Any) -> dict[str, Any]:
    """What one line says, unless it is to say something else."""
    moment = "2026-01-05T10:00:00.123Z"
    said = {"id": "msg-1", "parent_id": None, "role": "user", "content": "Hello", "timestamp": moment}
    told = {"conversation_id": "session-1", "title": None, "created_at": moment, "updated_at": moment}
    return {"format": "dialogix", "version": 1, "conversation": told, "messages": [said], **changes}


def imported(tmp_path: Path, *documents: dict[str, Any], arguments: tuple[str, ...] = ()) -> Ran:
    file = tmp_path / "given.jsonl"
    file.write_text("".join(json.dumps(each) + "\n" for each in documents))
    return run("import_conversations", file, *arguments)


def messages() -> list[tuple[Any, ...]]:
    return list(Message.objects.order_by("pk").values_list(*KEPT))


def test_it_brings_a_conversation_back(file: Path) -> None:
    run("import_conversations", file)
    assert shown() == ["Hello", "> Hi", "And?", "> So what", "Once more"]


def test_it_writes_again_what_it_read(file: Path, tmp_path: Path) -> None:
    run("import_conversations", file)
    run("export_conversations", "--output", tmp_path / "again.jsonl")
    first, again = (json.loads(each.read_text()) for each in (file, tmp_path / "again.jsonl"))
    assert again["messages"][:-1] == first["messages"][:-1]


def test_it_keeps_what_lists_show(file: Path) -> None:
    run("import_conversations", file)
    told = json.loads(file.read_text())["conversation"]
    found = entry(Conversation.objects.get())
    assert {key: found[key] for key in ("title", "created_at", "updated_at", "archived")} == {
        key: told[key] for key in ("title", "created_at", "updated_at", "archived")
    }


def test_it_ends_what_was_under_way(file: Path) -> None:
    run("import_conversations", file)
    assert Message.objects.order_by("pk").last().status == "interrupted"  # type: ignore[union-attr]


def test_it_adds_up_what_the_messages_used(file: Path) -> None:
    run("import_conversations", file)
    assert Conversation.objects.values_list("input_tokens", "output_tokens").get() == (3, 4)


def test_it_lets_a_conversation_go_on(file: Path) -> None:
    run("import_conversations", file)
    end(start(a_turn("And now?")), "Now")
    assert shown()[-2:] == ["And now?", "> Now"]


def test_it_changes_nothing_the_second_time(file: Path) -> None:
    run("import_conversations", file)
    before = messages()
    again = run("import_conversations", file)
    assert (messages(), again.out) == (before, "Imported 0, there already 1, unreadable 0.\n")


def test_it_leaves_alone_what_is_there(tmp_path: Path) -> None:
    converse(("Something else", "Yes"))
    imported(tmp_path, document())
    assert shown() == ["Something else", "> Yes"]


def test_it_gives_ids_of_its_own_where_they_are_taken(tmp_path: Path) -> None:
    ada = User.objects.create_user("ada")
    imported(tmp_path, document())
    imported(tmp_path, document(), arguments=("--owner", "ada"))
    hers = Message.objects.get(conversation__owner=ada).public_id
    assert (hers[:4], len(hers), Message.objects.filter(public_id="msg-1").count()) == ("msg-", 42, 1)


def test_it_gives_a_conversation_to_its_owner(tmp_path: Path) -> None:
    imported(tmp_path, document(owner="ada"))
    assert Conversation.objects.get().owner == User.objects.get(username="ada")


@pytest.mark.parametrize(("arguments", "owner"), [(("--owner", "grace"), "grace"), (("--without-owner",), None)])
def test_it_gives_it_to_whom_it_is_told(tmp_path: Path, arguments: tuple[str, ...], owner: str | None) -> None:
    User.objects.create_user("grace")
    imported(tmp_path, document(owner="ada"), arguments=arguments)
    assert Conversation.objects.values_list("owner__username", flat=True).get() == owner


def test_it_writes_nothing_when_it_is_only_tried(file: Path) -> None:
    ran = run("import_conversations", file, "--dry-run")
    assert (ran.out[:14], Conversation.objects.exists()) == ("Would import 1", False)


@pytest.mark.parametrize(
    "broken",
    [
        {"format": "other"},
        {"version": 2},
        {"conversation": {}},
        {"messages": [{"id": "a"}]},
        {"messages": document()["messages"] * 2},
        {"messages": [{**document()["messages"][0], "parent_id": "later"}]},
        {"messages": [{**document()["messages"][0], "role": "system"}]},
        {"conversation": {**document()["conversation"], "conversation_id": "../a"}},
    ],
    ids=str,
)
def test_it_leaves_out_what_it_cannot_read(tmp_path: Path, broken: dict[str, Any]) -> None:
    good = document(conversation={**document()["conversation"], "conversation_id": "good"})
    ran = imported(tmp_path, document(**broken), good)
    assert (list(Conversation.objects.values_list("public_id", flat=True)), ran.code) == (["good"], 1)


def test_it_names_the_line_it_cannot_read(tmp_path: Path) -> None:
    ran = imported(tmp_path, document(), document(version=2))
    assert "Conversation 2 of" in ran.err


@pytest.mark.parametrize("content", [b"[1, 2", b"\x89PNG", b"PK\x03\x04"])
def test_it_refuses_another_kind_of_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    assert "neither our JSON Lines" in run("import_conversations", tmp_path / "file").error


def test_it_says_that_a_file_is_missing(tmp_path: Path) -> None:
    assert "cannot be read" in run("import_conversations", tmp_path / "file").error


def test_it_drops_what_no_database_stores(tmp_path: Path) -> None:
    said = {**document()["messages"][0], "content": "a\0b"}
    imported(tmp_path, document(messages=[said]))
    assert Message.objects.get().content == "ab"


def test_it_can_be_searched(tmp_path: Path) -> None:
    from conversations.models import SearchEntry

    imported(tmp_path, document())
    assert SearchEntry.objects.count() == 1
