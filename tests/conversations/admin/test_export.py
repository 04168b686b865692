from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import AsyncClient, Client

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
