from __future__ import annotations

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.admin.models import LogEntry
from django.test import AsyncClient, Client

from conversations.admin import exporting
from conversations.models import Conversation
from tests.conversations.admin.people import LIST, account, staff
from tests.conversations.stored import converse, end, regenerate, start

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def address() -> str:
    first, *_ = converse(("question", "one answer"))
    end(start(regenerate(first.message_id)), "another answer")
    return f"{LIST}{Conversation.objects.get().pk}/export/"


@pytest.fixture
def reader() -> AsyncClient:
    client = AsyncClient()
    client.force_login(account("view_conversation", "view_contents"))
    return client


async def exported(client: AsyncClient, address: str) -> tuple[str, str]:
    """The file's name and what is in it."""
    response: Any = await client.get(address)
    assert response.status_code == 200
    text = b"".join([piece async for piece in response.streaming_content]).decode()
    return response.headers["Content-Disposition"], text


async def test_it_exports_every_branch_as_json(address: str, reader: AsyncClient) -> None:
    name, text = await exported(reader, f"{address}?format=json")
    assert 'filename="session-1.json"' in name
    assert [each["content"] for each in json.loads(text)["messages"]] == ["question", "one answer", "another answer"]


async def test_it_exports_every_branch_as_markdown(address: str, reader: AsyncClient) -> None:
    name, text = await exported(reader, f"{address}?format=markdown")
    assert 'filename="session-1.md"' in name
    assert [said in text for said in ("question", "one answer", "another answer")] == [True] * 3


async def test_it_notes_who_exported_without_saying_what(address: str, reader: AsyncClient) -> None:
    await exported(reader, address)
    entry = await LogEntry.objects.select_related("user").aget()
    assert (entry.user.username, entry.change_message) == ("staff", "Exported as json.")
    assert "question" not in entry.object_repr


async def test_it_knows_no_other_format(address: str, reader: AsyncClient) -> None:
    assert (await reader.get(f"{address}?format=exe")).status_code == 404


@pytest.mark.parametrize("permissions", [(), ("view_contents",), ("view_conversation",), ("delete_conversation",)])
def test_it_is_refused_to_those_who_may_not_read(address: str, permissions: tuple[str, ...]) -> None:
    assert staff(*permissions).get(address).status_code == 403


def test_it_is_no_business_of_strangers(address: str) -> None:
    assert Client().get(address).status_code == 302


async def selected(client: AsyncClient, kind: str) -> tuple[str, str]:
    """The file's name and what is in it: all conversations, exported from the list."""
    keys = [str(key) async for key in Conversation.objects.order_by("pk").values_list("pk", flat=True)]
    response: Any = await client.post(LIST, {"action": f"export_{kind}", "_selected_action": keys})
    assert response.streaming, response.status_code
    text = b"".join([piece async for piece in response.streaming_content]).decode()
    return response.headers["Content-Disposition"], text


async def test_it_exports_several_as_lines_that_can_be_imported(address: str, reader: AsyncClient) -> None:
    await sync_to_async(converse)(("other question", "other answer"), conversation_id="session-2")
    name, text = await selected(reader, "json")
    assert name.endswith('.jsonl"')
    told = [json.loads(line)["conversation"]["conversation_id"] for line in text.splitlines()]
    assert sorted(told) == ["session-1", "session-2"]


async def test_it_exports_several_as_one_markdown_document(address: str, reader: AsyncClient) -> None:
    await sync_to_async(converse)(("other question", "other answer"), conversation_id="session-2")
    await Conversation.objects.aupdate(instructions="Be brief.")
    name, text = await selected(reader, "markdown")
    assert name.endswith('.md"')
    assert [text.count(each) for each in ("another answer", "other answer", "Be brief.")] == [1, 2, 2]


async def test_it_exports_only_so_many_at_once(
    address: str, reader: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "MOST_AT_ONCE", 0)
    key = (await Conversation.objects.aget()).pk
    data = {"action": "export_json", "_selected_action": [str(key)]}
    response: Any = await reader.post(LIST, data, follow=True)
    assert "At most 0 are exported at once here." in response.content.decode()


async def test_it_notes_every_conversation_that_was_exported(address: str, reader: AsyncClient) -> None:
    await sync_to_async(converse)(("other question", "other answer"), conversation_id="session-2")
    await selected(reader, "json")
    assert [entry.change_message async for entry in LogEntry.objects.all()] == ["Exported as json."] * 2


async def test_it_offers_no_export_to_those_who_may_not_read(address: str) -> None:
    client = AsyncClient()
    await client.aforce_login(await sync_to_async(account)("view_conversation", "change_conversation"))
    response: Any = await client.get(LIST)
    assert ("export_json" in response.content.decode(), "archive" in response.content.decode()) == (False, True)
