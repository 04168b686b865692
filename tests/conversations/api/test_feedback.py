"""`PUT /chat/messages/{id}/feedback`: thumbs."""

from __future__ import annotations

import httpx
import pytest

from conversations.store.changing import give_feedback
from tests.conversations.api.people import Person, message
from tests.conversations.stored import a_turn, end, start


@pytest.fixture(autouse=True)
def reply(owner: Person) -> str:
    owner.says(("Hello", "Hi"))
    return f"/chat/messages/{message('Hi').public_id}"


async def rate(person: Person, reply: str, body: object) -> httpx.Response:
    return await person.call("PUT", f"{reply}/feedback", json=body)


@pytest.mark.parametrize("feedback", [{"rating": "up", "comment": "Good"}, {"rating": "down", "comment": None}])
async def test_it_is_stored_with_the_message(owner: Person, reply: str, feedback: dict[str, str]) -> None:
    answer = await rate(owner, reply, feedback)
    assert answer.json()["feedback"] == feedback
    assert (await owner.get(reply)).json() == answer.json()


async def test_it_replaces_both(owner: Person, reply: str) -> None:
    await rate(owner, reply, {"rating": "up", "comment": "Good"})
    assert (await rate(owner, reply, {"rating": "down"})).json()["feedback"] == {"rating": "down", "comment": None}


async def test_null_takes_it_back(owner: Person, reply: str) -> None:
    await rate(owner, reply, {"rating": "up", "comment": "Good"})
    assert (await rate(owner, reply, {"rating": None})).json()["feedback"] is None


async def test_a_comment_may_stand_alone(owner: Person, reply: str) -> None:
    answer = await rate(owner, reply, {"rating": None, "comment": "Hm"})
    assert answer.json()["feedback"] == {"rating": None, "comment": "Hm"}


@pytest.mark.parametrize(
    "body",
    [
        *({}, {"rating": "UP"}, {"rating": ""}, {"rating": 1}, {"comment": "x"}, [], None),
        *({"rating": "up", "comment": "a\0"}, {"rating": "up", "comment": "a" * 24001}, {"rating": "up", "comment": 1}),
    ],
)
async def test_it_refuses_bad_values(owner: Person, reply: str, body: object) -> None:
    answer = await rate(owner, reply, body)
    assert (answer.status_code, answer.json().keys()) == (400, {"error", "details"})


@pytest.fixture
def question(reply: str) -> str:
    return f"/chat/messages/{message('Hello').public_id}"


async def test_a_users_message_has_none(owner: Person, question: str) -> None:
    assert (await rate(owner, question, {"rating": "up"})).status_code == 409


@pytest.fixture
def running(owner: Person) -> str:
    return f"/chat/messages/{start(a_turn('More', owner_id=owner.owner_id)).message_id}"


async def test_a_running_reply_is_not_waited_for(owner: Person, running: str) -> None:
    assert (await rate(owner, running, {"rating": "up"})).json()["status"] == "streaming"


@pytest.fixture
def ended(owner: Person) -> str:
    begun = start(a_turn("More", owner_id=owner.owner_id))
    give_feedback(owner.owner_id, begun.message_id, "down", "Too slow")
    end(begun, "Late")
    return f"/chat/messages/{begun.message_id}"


async def test_it_outlives_the_replys_end(owner: Person, ended: str) -> None:
    assert (await owner.get(ended)).json()["feedback"] == {"rating": "down", "comment": "Too slow"}


async def test_it_is_not_there_for_others(teammate: Person, reply: str) -> None:
    assert (await rate(teammate, reply, {"rating": "up"})).status_code == 404


async def test_it_knows_no_stranger(stranger: Person, reply: str) -> None:
    assert (await rate(stranger, reply, {"rating": "up"})).status_code == 401


async def test_it_is_put_and_nothing_else(owner: Person, reply: str) -> None:
    answer = await owner.call("POST", f"{reply}/feedback", json={"rating": "up"})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "PUT, OPTIONS")
