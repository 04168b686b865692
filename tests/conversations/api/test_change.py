"""`PATCH /chat/conversations/{id}`: rename and archive."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from conversations import database
from conversations.models import Conversation
from tests.conversations.api.people import Person

PATH = "/chat/conversations/session-1"


@pytest.fixture(autouse=True)
def spoken(owner: Person) -> None:
    owner.says(("Hello there", "Hi"))


async def patch(person: Person, body: object) -> httpx.Response:
    return await person.call("PATCH", PATH, json=body)


@pytest.mark.parametrize("title", ["A", "名" * 200, " spaces ", "𝔘nicode 🎉"])
async def test_it_renames(owner: Person, title: str) -> None:
    assert [(await patch(owner, {"title": title})).json()["title"], (await owner.get(PATH)).json()["title"]] == [
        title,
        title,
    ]


async def test_null_brings_the_opening_back(owner: Person) -> None:
    await patch(owner, {"title": "Other"})
    assert (await patch(owner, {"title": None})).json()["title"] == "Hello there"


async def test_it_archives(owner: Person) -> None:
    assert (await patch(owner, {"archived": True})).json()["archived"] is True


async def test_it_answers_with_the_whole_conversation(owner: Person) -> None:
    assert (await patch(owner, {"archived": True})).json() == (await owner.get(PATH)).json()


async def test_a_change_is_no_activity(owner: Person) -> None:
    before = (await owner.get(PATH)).json()["updated_at"]
    assert (await patch(owner, {"title": "Other", "archived": True})).json()["updated_at"] == before


@pytest.mark.parametrize("body", [{}, {"message_count": 7, "owner": 1, "public_id": "x", "last_status": "failed"}])
async def test_what_cannot_be_changed_is_left_alone(owner: Person, body: object) -> None:
    before = (await owner.get(PATH)).json()
    assert (await patch(owner, body)).json() == before


@pytest.mark.parametrize(
    "body",
    [
        *({"title": ""}, {"title": "a" * 201}, {"title": "a\0b"}, {"title": 1}, {"title": ["a"]}),
        *({"archived": None}, {"archived": "true"}, {"archived": 1}, [], "title"),
    ],
)
async def test_it_refuses_bad_values(owner: Person, body: object) -> None:
    answer = await patch(owner, body)
    assert (answer.status_code, answer.json().keys()) == (400, {"error", "details"})


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b'{"title": "\\ud800"}', b'{"title": "\xff"}', b"[" * 100_000, b'{"title": "a"} {}'],
)
async def test_it_refuses_malformed_json(owner: Person, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    assert (await owner.call("PATCH", PATH, content=content, headers=headers)).status_code == 400


async def test_it_refuses_another_content_type(owner: Person) -> None:
    assert (await owner.call("PATCH", PATH, data={"title": "a"})).status_code == 415


async def test_it_refuses_a_body_of_any_size(owner: Person) -> None:
    assert (await patch(owner, {"title": "a" * (17 << 20)})).status_code == 413


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_it_takes_no_other_method(owner: Person, method: str) -> None:
    assert (await owner.call(method, PATH)).headers["Allow"] == "GET, PATCH, DELETE, HEAD, OPTIONS"


async def test_it_is_not_there_for_others(teammate: Person) -> None:
    assert (await patch(teammate, {"title": "Mine"})).status_code == 404


async def test_it_knows_no_stranger(stranger: Person) -> None:
    assert (await patch(stranger, {"title": "Mine"})).status_code == 401


async def test_one_of_change_and_deletion_comes_last(owner: Person) -> None:
    """Whichever it is: nothing is left, and whoever came too late hears that it is not there."""
    changes = [patch(owner, {"title": f"Title {at}"}) for at in range(8)]
    answers = await asyncio.gather(*changes[:4], owner.call("DELETE", PATH), *changes[4:])
    assert {answer.status_code for answer in answers} <= {200, 204, 404}
    assert not await database.write(Conversation.objects.exists)
