"""`DELETE /chat/conversations/{id}`: everything goes, and replies under way end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from conversations import database
from conversations.models import Attempt, IdempotencyKey, JournalEntry, Message, SearchEntry
from conversations.store import erasing
from tests.conversations.api.people import Person, message
from tests.conversations.stored import a_claim, a_turn, edit, end, everything, start
from tests.services.server import LiveServer
from tests.simulator import Simulator

PATH = "/chat/conversations/session-1"


@pytest.fixture
def spoken(owner: Person) -> None:
    """All kinds of rows: two branches, attempts, a key, a title, a reply that waits behind one that streams."""
    owner.says(("Hello", "Hi"), ("More", "Yes"))
    start(edit(message("Hello").public_id, "Good morning", owner_id=owner.owner_id))
    begun = start(a_turn("Waits", owner_id=owner.owner_id, claim=a_claim()))
    JournalEntry.objects.create(message_id=begun.message_pk, position=0, text="so far")
    Attempt.objects.create(message_id=begun.message_pk, provider="gpt", model="m", outcome="timeout", duration_ms=1)


async def test_it_answers_without_a_body(owner: Person, spoken: None) -> None:
    answer = await owner.call("DELETE", PATH)
    assert (answer.status_code, answer.content) == (204, b"")


async def test_nothing_is_left(owner: Person, spoken: None) -> None:
    await owner.call("DELETE", PATH)
    left = await database.write(everything)
    assert {name for name, rows in left.items() if rows} <= {"User", "Worker", "DailyUsage"}


async def test_nothing_of_other_conversations_goes(owner: Person, teammate: Person, spoken: None) -> None:
    await database.write(teammate.says, ("Mine", "Yours"), to="session-1")
    await owner.call("DELETE", PATH)
    assert await database.write(Message.objects.count) == 2


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "BATCH", 2)


async def test_it_goes_in_steps(owner: Person, spoken: None, small_steps: None) -> None:
    await owner.call("DELETE", PATH)
    counts = [model.objects.count for model in (Message, SearchEntry, Attempt, IdempotencyKey, JournalEntry)]
    assert [await database.write(count) for count in counts] == [0] * 5


async def test_it_is_not_there_afterwards(owner: Person, spoken: None) -> None:
    await owner.call("DELETE", PATH)
    paths = (PATH, "/chat/history/session-1", PATH + "/export")
    assert [(await owner.get(path)).status_code for path in paths] == [404, 404, 404]


async def test_a_second_time_it_is_not_there(owner: Person, spoken: None) -> None:
    await owner.call("DELETE", PATH)
    assert (await owner.call("DELETE", PATH)).status_code == 404


async def test_the_id_may_be_used_anew(owner: Person, spoken: None) -> None:
    await owner.call("DELETE", PATH)
    await database.write(owner.says, ("Again", "Yes"))
    history = (await owner.get("/chat/history/session-1")).json()["messages"]
    assert [each["content"] for each in history] == ["Again", "Yes"]


async def test_several_at_once_delete_it_once(owner: Person, spoken: None) -> None:
    answers = await asyncio.gather(*(owner.call("DELETE", PATH) for _ in range(5)))
    assert {answer.status_code for answer in answers} <= {204, 404}


async def test_it_is_not_there_for_others(teammate: Person, spoken: None) -> None:
    assert (await teammate.call("DELETE", PATH)).status_code == 404


async def test_it_knows_no_stranger(stranger: Person, spoken: None) -> None:
    assert (await stranger.call("DELETE", PATH)).status_code == 401


async def test_an_end_that_comes_too_late_changes_nothing(owner: Person, spoken: None) -> None:
    late = await database.write(start, a_turn("Late", owner_id=owner.owner_id))
    await owner.call("DELETE", PATH)
    await database.write(end, late, "An answer")
    assert not await database.write(SearchEntry.objects.exists)


# -- replies under way, on servers of their own ------------------------------------------------------------------------

SLOW: dict[str, Any] = {"text": "one two three four five six seven eight nine ten", "chunks": 10, "delay": 0.5}


@pytest.fixture
def two_workers(simulator: Simulator, start_server: Callable[..., LiveServer]) -> tuple[LiveServer, LiveServer]:
    """Two processes on one database, which have no other way to hear of each other."""
    first = start_server(**simulator.env("openai"))
    return first, start_server(**simulator.env("openai"), database=first.database_url)


def chat(server: LiveServer, text: str = "Hello") -> httpx.Response:
    body = {"messages": [{"role": "user", "content": text}], "conversation_id": "session-1"}
    return httpx.post(f"{server.url}/chat/gpt", json=body, timeout=30)


def events_of(answer: httpx.Response) -> list[str]:
    return [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: ")]


def until_it_streams(server: LiveServer) -> str:
    """The id of the reply under way, once it has text."""
    for _ in range(200):
        history = httpx.get(f"{server.url}/chat/history/session-1")
        for each in history.json().get("messages", ()):
            if each.get("position"):
                return str(each["id"])
        asyncio.run(asyncio.sleep(0.02))
    raise AssertionError("no reply with text")


@pytest.mark.parametrize("by", [0, 1], ids=["its own worker", "another worker"])
def test_who_watches_a_reply_is_told(simulator: Simulator, two_workers: tuple[LiveServer, ...], by: int) -> None:
    simulator.script("openai", **SLOW)
    producer, other = two_workers
    with ThreadPoolExecutor() as clients:
        here = clients.submit(chat, producer)
        reply = until_it_streams(other)
        there = clients.submit(httpx.get, f"{other.url}/chat/messages/{reply}/stream", timeout=30)
        asyncio.run(asyncio.sleep(0.3))
        assert httpx.delete(two_workers[by].url + PATH).status_code == 204
        for client in (here, there):
            *_, error, done = events_of(client.result())
            assert (json.loads(error)["error"], done) == ("The conversation was deleted.", "[DONE]")


@pytest.mark.parametrize("by", [0, 1], ids=["its own worker", "another worker"])
def test_the_vendors_stream_is_closed(simulator: Simulator, two_workers: tuple[LiveServer, ...], by: int) -> None:
    simulator.script("openai", **SLOW)
    with ThreadPoolExecutor() as clients:
        clients.submit(chat, two_workers[0])
        until_it_streams(two_workers[1])
        httpx.delete(two_workers[by].url + PATH)
        assert simulator.wait("openai", seconds=3)["state"] == "client_closed"


@pytest.mark.parametrize("by", [0, 1], ids=["its own worker", "another worker"])
def test_who_has_got_nothing_yet_hears_that_it_is_gone(
    simulator: Simulator, two_workers: tuple[LiveServer, ...], by: int
) -> None:
    simulator.script("openai", **SLOW)
    with ThreadPoolExecutor() as clients:
        clients.submit(chat, two_workers[0])
        until_it_streams(two_workers[1])
        waiting = clients.submit(chat, two_workers[0], "And then?")
        asyncio.run(asyncio.sleep(0.3))
        httpx.delete(two_workers[by].url + PATH)
        answer = waiting.result()
        assert (answer.status_code, answer.json()) == (404, {"detail": "The conversation was deleted."})


def test_nothing_of_a_deleted_reply_comes_back(simulator: Simulator, two_workers: tuple[LiveServer, ...]) -> None:
    simulator.script("openai", **SLOW)
    with ThreadPoolExecutor() as clients:
        streaming = clients.submit(chat, two_workers[0])
        until_it_streams(two_workers[1])
        httpx.delete(two_workers[1].url + PATH)
        streaming.result()
    assert httpx.get(f"{two_workers[0].url}/chat/history/session-1").status_code == 404
