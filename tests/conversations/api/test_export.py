"""`GET /chat/conversations/{id}/export`: a download of every branch."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from typing import Any

import pytest

from conversations import database
from conversations.api.export import as_json
from conversations.models import Conversation, JournalEntry, Message
from conversations.store import exporting
from tests.conversations.api.people import Person, message
from tests.conversations.stored import a_turn, edit, end, start

PATH = "/chat/conversations/session-1/export"


@pytest.fixture
def spoken(owner: Person) -> None:
    owner.says(("Hello", "Hi\n\n```python\nprint()\n```"))
    Conversation.objects.update(instructions="Be brief.")
    end(
        start(edit(message("Hello").public_id, "Good morning", owner_id=owner.owner_id)),
        "Good evening",
        provider="gpt",
        model="gpt-4o",
        finish_reason="stop",
        input_tokens=1,
        output_tokens=2,
    )


async def exported(owner: Person) -> dict[str, Any]:
    return dict((await owner.get(PATH)).json())


async def test_it_is_a_download(owner: Person, spoken: None) -> None:
    answer = await owner.get(PATH)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="session-1.json"'
    assert answer.headers["Content-Type"] == "application/json"


async def test_it_has_every_branch(owner: Person, spoken: None) -> None:
    messages = (await exported(owner))["messages"]
    ids = {each["id"]: at for at, each in enumerate(messages)}
    parents = [ids.get(each["parent_id"]) for each in messages]
    assert [(each["content"], each["active"], parent) for each, parent in zip(messages, parents, strict=True)] == [
        ("Hello", False, None),
        ("Hi\n\n```python\nprint()\n```", False, 0),
        ("Good morning", True, None),
        ("Good evening", True, 2),
    ]


async def test_it_tells_what_is_known_of_a_message(owner: Person, spoken: None) -> None:
    reply = (await exported(owner))["messages"][-1]
    del reply["id"], reply["parent_id"], reply["timestamp"]
    assert reply == {
        "role": "assistant",
        "content": "Good evening",
        "status": "complete",
        "provider": "gpt",
        "model": "gpt-4o",
        "finish_reason": "stop",
        "usage": {"input_tokens": 1, "output_tokens": 2, "estimated": False},
        "error": None,
        "feedback": None,
        "active": True,
    }


async def test_it_tells_what_is_known_of_the_conversation(owner: Person, spoken: None) -> None:
    document = await exported(owner)
    assert (document["format"], document["version"], document["conversation"]["instructions"]) == (
        "dialogix",
        1,
        "Be brief.",
    )
    assert document["conversation"].keys() == {
        *("conversation_id", "title", "created_at", "updated_at", "archived", "instructions")
    }


async def test_it_is_one_line(owner: Person, spoken: None) -> None:
    text = (await owner.get(PATH)).text
    assert (text.count("\n"), text[-1]) == (1, "\n")


async def test_it_is_the_same_in_steps(owner: Person, spoken: None, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = await exported(owner)
    monkeypatch.setattr(exporting, "CHUNK", 1)
    assert await exported(owner) == whole


@pytest.fixture
def streaming(owner: Person) -> None:
    begun = start(a_turn("Question", owner_id=owner.owner_id))
    JournalEntry.objects.create(message_id=begun.message_pk, position=0, text="so far")


async def test_a_reply_under_way_is_as_far_as_it_came(owner: Person, streaming: None) -> None:
    reply = (await exported(owner))["messages"][-1]
    assert (reply["content"], reply["status"]) == ("so far", "streaming")


async def test_an_empty_conversation_has_no_messages(owner: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    await database.write(Conversation.objects.create, public_id="session-1", owner_id=owner.owner_id)
    assert (await exported(owner))["messages"] == []


async def test_markdown_reads_like_a_conversation(owner: Person, spoken: None) -> None:
    answer = await owner.get(PATH, params={"format": "markdown"})
    assert answer.headers["Content-Disposition"] == 'attachment; filename="session-1.md"'
    headings = [line for line in answer.text.splitlines() if line.startswith("#")]
    assert [heading.split(" · ")[0] for heading in headings] == [
        *("# Hello", "## Instructions", "## User", "## Assistant", "## User", "## Assistant")
    ]


async def test_markdown_says_where_branches_begin(owner: Person, spoken: None) -> None:
    assert (await owner.get(PATH, params={"format": "markdown"})).text.count("another beginning") == 1


@pytest.mark.parametrize("kind", ["", "JSON", "html", "../../etc/passwd"])
async def test_it_refuses_other_formats(owner: Person, spoken: None, kind: str) -> None:
    assert (await owner.get(PATH, params={"format": kind})).status_code == 400


@pytest.mark.parametrize("name", ["a:b~c", "a..b"])
async def test_the_files_name_is_one_that_files_can_have(owner: Person, name: str) -> None:
    await database.write(owner.says, ("Hello", "Hi"), to=name)
    disposition = (await owner.get(f"/chat/conversations/{name}/export")).headers["Content-Disposition"]
    assert disposition == f'attachment; filename="{name.replace(":", "_").replace("~", "_")}.json"'


@pytest.fixture
def long(owner: Person) -> Conversation:
    conversation = Conversation.objects.create(public_id="session-1", owner_id=owner.owner_id)
    texts = ("x" * 5000 for _ in range(4000))
    rows = (
        Message(public_id=f"msg-{at}", conversation=conversation, role="user", content=text)
        for at, text in enumerate(texts)
    )
    Message.objects.bulk_create(rows, batch_size=500)
    return conversation


async def test_its_memory_does_not_grow_with_the_conversation(long: Conversation) -> None:
    tracemalloc.start()
    size = sum([len(piece) async for piece in as_json(long)])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 20_000_000
    assert peak < 8_000_000


def test_json_lines_of_several_can_be_read_line_by_line(owner: Person, spoken: None) -> None:
    line = asyncio.run(owner.get(PATH)).text
    assert [json.loads(each)["version"] for each in (line + line).splitlines()] == [1, 1]
