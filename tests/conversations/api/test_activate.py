"""`POST /chat/messages/{id}/activate`: another branch is shown."""

from __future__ import annotations

from typing import Any

import pytest

from conversations.models import Message
from tests.conversations.api.people import Person, message
from tests.conversations.stored import a_turn, edit, end, regenerate, start


@pytest.fixture
def branched(owner: Person) -> None:
    """Hello - Hi - More - Yes, beside it Good morning - Good evening, which is shown."""
    owner.says(("Hello", "Hi"), ("More", "Yes"))
    end(start(edit(message("Hello").public_id, "Good morning", owner_id=owner.owner_id)), "Good evening")


def path_of(text: str) -> str:
    return f"/chat/messages/{message(text).public_id}/activate"


@pytest.fixture
def to_hello(branched: None) -> str:
    return path_of("Hello")


async def test_it_shows_a_branch_down_to_its_newest_leaf(owner: Person, to_hello: str) -> None:
    messages = (await owner.call("POST", to_hello)).json()["messages"]
    assert [each["content"] for each in messages] == ["Hello", "Hi", "More", "Yes"]


async def test_the_history_is_what_it_answered(owner: Person, to_hello: str) -> None:
    answer = (await owner.call("POST", to_hello)).json()
    assert (await owner.get("/chat/history/session-1")).json() == answer


async def test_it_needs_no_body_and_takes_any_object(owner: Person, to_hello: str) -> None:
    bodies: tuple[dict[str, Any], ...] = ({}, {"json": {"x": 1}}, {"headers": {"Content-Type": "application/json"}})
    assert [(await owner.call("POST", to_hello, **body)).status_code for body in bodies] == [200, 200, 200]


async def test_it_refuses_what_is_no_object(owner: Person, to_hello: str) -> None:
    assert (await owner.call("POST", to_hello, json=[])).status_code == 400


@pytest.fixture
def to_streaming(owner: Person, branched: None) -> str:
    start(regenerate(message("Hi").public_id, owner_id=owner.owner_id))
    return path_of("Good morning")


async def test_a_running_reply_goes_on_in_its_branch(owner: Person, to_streaming: str) -> None:
    messages = (await owner.call("POST", to_streaming)).json()["messages"]
    assert [each["content"] for each in messages] == ["Good morning", "Good evening"]
    assert await Message.objects.filter(status="streaming").acount() == 1


@pytest.fixture
def to_many(owner: Person) -> str:
    owner.says(*((f"Q{at}", f"A{at}") for at in range(40)))
    return path_of("Q0")


async def test_it_answers_with_the_newest_fifty(owner: Person, to_many: str) -> None:
    messages = (await owner.call("POST", to_many)).json()["messages"]
    assert (len(messages), messages[-1]["content"]) == (50, "A39")


async def test_it_is_not_there_for_others(teammate: Person, to_hello: str) -> None:
    assert (await teammate.call("POST", to_hello)).status_code == 404


async def test_it_knows_no_stranger(stranger: Person, to_hello: str) -> None:
    assert (await stranger.call("POST", to_hello)).status_code == 401


async def test_what_others_tried_changes_nothing(owner: Person, teammate: Person, to_hello: str) -> None:
    await teammate.call("POST", to_hello)
    messages = (await owner.get("/chat/history/session-1")).json()["messages"]
    assert messages[0]["content"] == "Good morning"


@pytest.fixture
def in_the_open(open_mode: None, stranger: Person) -> str:
    end(start(a_turn("Hello")), "Hi")
    return path_of("Hi")


async def test_in_open_mode_whoever_knows_the_id_switches(stranger: Person, in_the_open: str) -> None:
    assert (await stranger.call("POST", in_the_open)).status_code == 200
