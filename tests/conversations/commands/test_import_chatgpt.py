from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from conversations.models import Conversation, Message
from tests.conversations.commands.running import Ran, run
from tests.conversations.stored import shown

pytestmark = pytest.mark.django_db

NAME = "6780b5a4-1234-8000-9abc-0123456789ab"


def node(name: str, parent: str | None, role: str, text: str | None, **changes: Any) -> dict[str, Any]:
    """A node as the export has it. text: None for one without a message"""
    message = None
    if text is not None:
        message = {
            "id": name,
            "author": {"role": role, "name": None, "metadata": {}},
            "create_time": 1_736_500_000.5 + len(name),
            "content": {"content_type": "text", "parts": [text]},
            "status": "finished_successfully",
            "end_turn": True,
            "metadata": {"model_slug": "gpt-4o"} if role == "assistant" else {},
            "recipient": "all",
            **changes,
        }
    return {"id": name, "message": message, "parent": parent, "children": []}


def conversation(*nodes: dict[str, Any], current: str | None = None, **changes: Any) -> dict[str, Any]:
    mapping = {each["id"]: each for each in nodes}
    for each in nodes:
        if each["parent"] in mapping:
            mapping[each["parent"]]["children"].append(each["id"])
    return {
        "title": "Trees",
        "create_time": 1_736_500_000.0,
        "update_time": 1_736_500_100.0,
        "mapping": mapping,
        "current_node": current or nodes[-1]["id"],
        "conversation_id": NAME,
        "is_archived": False,
        **changes,
    }


ROOT = ("root", None, "system", None)


def talk(*more: dict[str, Any], **changes: Any) -> dict[str, Any]:
    nodes = [node(*ROOT), node("u1", "root", "user", "What is a tree?"), node("a1", "u1", "assistant", "A graph.")]
    return conversation(*nodes, *more, **changes)


def imported(tmp_path: Path, *conversations: Any) -> Ran:
    file = tmp_path / "conversations.json"
    file.write_text(json.dumps(conversations))
    return run("import_conversations", file)


def test_it_reads_a_conversation(tmp_path: Path) -> None:
    imported(tmp_path, talk())
    assert shown(NAME) == ["What is a tree?", "> A graph."]


def test_it_keeps_title_and_times(tmp_path: Path) -> None:
    imported(tmp_path, talk())
    found = Conversation.objects.get()
    assert (found.title, found.created_at.timestamp(), found.last_activity_at.timestamp()) == (
        "Trees", 1_736_500_000.0, 1_736_500_100.0
    )  # fmt: skip


def test_it_shows_the_branch_that_was_shown(tmp_path: Path) -> None:
    other = node("a2", "u1", "assistant", "A plant.")
    imported(tmp_path, talk(other, node("u2", "a1", "user", "Why?"), current="a2"))
    assert shown(NAME) == ["What is a tree?", "> A plant."]


def test_it_keeps_the_other_branches(tmp_path: Path) -> None:
    imported(tmp_path, talk(node("a2", "u1", "assistant", "A plant."), current="a2"))
    question = Message.objects.get(role="user")
    assert set(question.children.values_list("content", "active")) == {("A graph.", False), ("A plant.", True)}


def test_it_keeps_the_model(tmp_path: Path) -> None:
    imported(tmp_path, talk())
    assert Message.objects.get(role="assistant").model == "gpt-4o"


@pytest.mark.parametrize(
    "hidden",
    [
        node("x1", "a1", "tool", "{}"),
        node("x1", "a1", "system", "Be kind."),
        node("x1", "a1", "assistant", "search()", recipient="browser"),
        node("x1", "a1", "assistant", "", content={"content_type": "code", "text": "1 + 1"}),
        node("x1", "a1", "user", "Hidden", metadata={"is_visually_hidden_from_conversation": True}),
        node("x1", "a1", "assistant", "", content={"content_type": "thoughts", "thoughts": []}),
    ],
    ids=str,
)
def test_it_closes_the_gap_where_nothing_was_shown(tmp_path: Path, hidden: dict[str, Any]) -> None:
    imported(tmp_path, talk(json.loads(json.dumps(hidden)), node("a2", "x1", "assistant", "Found.")))
    assert Message.objects.get(content="Found.").parent == Message.objects.get(content="A graph.")


def test_it_names_an_image(tmp_path: Path) -> None:
    parts = [{"content_type": "image_asset_pointer", "asset_pointer": "file-service://x"}, "What is this?"]
    imported(tmp_path, talk(node("u2", "a1", "user", "", content={"content_type": "multimodal_text", "parts": parts})))
    assert shown(NAME)[-1] == "[image]\n\nWhat is this?"


def test_it_changes_nothing_the_second_time(tmp_path: Path) -> None:
    imported(tmp_path, talk())
    assert imported(tmp_path, talk()).out == "Imported 0, there already 1, unreadable 0.\n"


def test_it_reads_the_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("conversations.json", json.dumps([talk()]))
    assert run("import_conversations", tmp_path / "export.zip").out.startswith("Imported 1")


@pytest.mark.parametrize("broken", [{}, 7, {"id": "a"}, {**talk(), "mapping": {"a": {"message": 1}}}], ids=str)
def test_it_leaves_out_what_it_cannot_read(tmp_path: Path, broken: Any) -> None:
    ran = imported(tmp_path, broken, talk())
    assert (Conversation.objects.count(), ran.code) == (1, 1)


def test_it_survives_a_circle(tmp_path: Path) -> None:
    circle = talk()
    circle["mapping"]["a1"]["children"].append("u1")
    imported(tmp_path, circle)
    assert Message.objects.count() == 2


def test_it_mends_halves_of_characters(tmp_path: Path) -> None:
    imported(tmp_path, talk(node("u2", "a1", "user", "\ud83d!")))
    assert shown(NAME)[-1] == "\ufffd!"


def test_it_reads_a_long_conversation(tmp_path: Path) -> None:
    nodes, parent = [node(*ROOT)], "root"
    for number in range(1500):
        nodes.append(node(f"n{number}", parent, ("user", "assistant")[number % 2], str(number)))
        parent = f"n{number}"
    imported(tmp_path, conversation(*nodes))
    assert len(shown(NAME)) == 1500
