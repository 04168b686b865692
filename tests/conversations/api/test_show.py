"""`GET /chat/conversations/{id}`: one conversation with what it used and cost."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conversations.api.people import Person, message
from tests.conversations.stored import a_turn, end, regenerate, start

PATH = "/chat/conversations/session-1"
TOKENS: dict[str, Any] = {"input_tokens": 1000, "output_tokens": 2000}


def answered(owner: Person, text: str, provider: str, model: str) -> None:
    end(start(a_turn("Q", owner_id=owner.owner_id)), text, provider=provider, model=model, **TOKENS)


@pytest.fixture
def answers(owner: Person) -> None:
    """Two branches: what is not shown was paid for too."""
    answered(owner, "A", "gpt", "gpt-4o")
    again = start(regenerate(message("A").public_id, owner_id=owner.owner_id))
    end(again, "B", provider="claude", model="claude-3-haiku-20240307", **TOKENS)


async def test_it_counts_all_branches(owner: Person, answers: None) -> None:
    body = (await owner.get(PATH)).json()
    assert (body["message_count"], body["usage"]) == (3, {"input_tokens": 2000, "output_tokens": 4000})


async def test_it_adds_up_what_the_models_cost(owner: Person, answers: None) -> None:
    """List prices of a million tokens in and out: $2.50 and $10 of the one, $0.25 and $1.25 of the other."""
    expected = (2.5 + 2 * 10 + 0.25 + 2 * 1.25) / 1000
    assert (await owner.get(PATH)).json()["cost"] == pytest.approx(expected)


@pytest.fixture
def unknown(owner: Person, answers: None) -> None:
    answered(owner, "C", "gpt", "a-model-of-our-own")


async def test_an_unknown_price_is_no_number(owner: Person, unknown: None) -> None:
    assert (await owner.get(PATH)).json()["cost"] is None


@pytest.fixture
def empty(owner: Person) -> str:
    return f"/chat/conversations/{start(a_turn('Q', owner_id=owner.owner_id)).conversation_id}"


async def test_what_nobody_answered_cost_nothing(owner: Person, empty: str) -> None:
    body = (await owner.get(empty)).json()
    assert (body["cost"], body["status"], body["message_count"]) == (0, "streaming", 2)


async def test_it_begins_as_in_the_list(owner: Person, answers: None) -> None:
    (entry,) = (await owner.get("/chat/conversations")).json()["conversations"]
    body = (await owner.get(PATH)).json()
    assert {name: body[name] for name in entry} == entry


@pytest.mark.parametrize("path", [PATH, PATH + "/export"])
async def test_it_is_not_there_for_others(teammate: Person, answers: None, path: str) -> None:
    answer = await teammate.get(path)
    assert (answer.status_code, answer.json().keys()) == (404, {"error", "details"})


@pytest.mark.parametrize("path", [PATH, PATH + "/export"])
async def test_it_knows_no_stranger(stranger: Person, answers: None, path: str) -> None:
    assert (await stranger.get(path)).status_code == 401


@pytest.fixture
def without_owner(open_mode: None, stranger: Person) -> None:
    stranger.says(("Hello", "Hi"))


async def test_in_open_mode_whoever_knows_the_id_reads(stranger: Person, without_owner: None) -> None:
    assert (await stranger.get(PATH)).json()["title"] == "Hello"


async def test_in_open_mode_what_has_an_owner_is_not_there(owner: Person, answers: None, open_mode: None) -> None:
    assert (await owner.get(PATH)).status_code == 404


async def test_an_id_that_none_can_have_is_no_route(owner: Person) -> None:
    assert (await owner.get("/chat/conversations/%00")).status_code == 404
