"""A server, or a caller, with no more replies to come: 503 and when to come again, before anything is done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from providers.simulator import server as simulator_server
from tests.contract.client import Client, new_id, user, wait_for
from tests.services.server import LiveServer
from tests.simulator import Simulator

STALLED: dict[str, Any] = {"chunks": ["some ", "text"], "fault": "stall", "after": 1}


@pytest.fixture(scope="module")
def small() -> Iterator[LiveServer]:
    """One reply at a time."""
    vendors = Simulator(simulator_server.ensure_running()).env("openai")
    server = LiveServer(**vendors, MAX_ACTIVE_GENERATIONS="1")
    yield server
    server.close()


@dataclass(frozen=True)
class Said:
    """One turn that has ended. question, reply: ids of its messages"""

    conversation: str
    question: str
    reply: str


@pytest.fixture
def said(small: LiveServer, simulator: Simulator) -> Said:
    return a_turn(Client(small.url))


def a_turn(client: Client) -> Said:
    conversation = new_id()
    client.events("Hello", conversation_id=conversation)
    question, reply = client.history(conversation)
    return Said(conversation, question["id"], reply["id"])


@pytest.fixture
def full(small: LiveServer, said: Said, simulator: Simulator) -> Iterator[Client]:
    simulator.script("openai", **STALLED)
    client = Client(small.url)
    with client.stream("Hello", conversation_id=new_id()) as stream:
        stream.until_text()
        yield client
        client.cancel(stream.message_id)


def test_it_refuses_a_stream(full: Client) -> None:
    answer = full.chat("Hello")
    assert (answer.status_code, list(answer.json())) == (503, ["detail"])
    assert int(answer.headers["Retry-After"]) > 0


def test_it_refuses_a_completion_in_its_shape(full: Client) -> None:
    answer = full.complete("Hello")
    assert (answer.status_code, set(answer.json())) == (503, {"error", "details"})
    assert int(answer.headers["Retry-After"]) > 0


def test_it_refuses_a_client_of_openai_in_its_shape(full: Client) -> None:
    answer = full.post("/v1/chat/completions", {"model": "gpt-4o", "messages": [user("Hello")]})
    assert (answer.status_code, answer.json()["error"]["type"]) == (503, "server_error")
    assert int(answer.headers["Retry-After"]) > 0


def test_it_refuses_another_try(full: Client, said: Said) -> None:
    answer = full.post(f"/chat/messages/{said.reply}/regenerate", {})
    assert (answer.status_code, list(answer.json())) == (503, ["detail"])


def test_it_refuses_a_changed_question(full: Client, said: Said) -> None:
    answer = full.post(f"/chat/messages/{said.question}/edit", {"content": "Hi"})
    assert (answer.status_code, list(answer.json())) == (503, ["detail"])


def test_it_asks_no_vendor_for_what_it_refuses(full: Client, simulator: Simulator) -> None:
    asked = len(simulator.chats())
    full.chat("Hello")
    full.complete("Hello")
    assert len(simulator.chats()) == asked


def test_it_judges_that_before_type_and_content(full: Client) -> None:
    assert full.raw("/chat/gpt", b"x", "text/plain").status_code == 503
    assert full.raw("/chat/gpt", b"x").status_code == 503


def test_the_route_comes_before_it(full: Client) -> None:
    assert full.get("/chat/gpt").status_code == 405
    assert full.post("/nothing/here", {}).status_code == 404


def test_it_stores_nothing_of_what_it_refuses(full: Client) -> None:
    conversation = new_id()
    full.complete("Hello", conversation_id=conversation)
    assert full.get(f"/chat/history/{conversation}").status_code == 404


def test_it_goes_on_to_read(full: Client) -> None:
    assert full.get("/health").status_code == 200
    assert full.post("/chat/conversations").status_code == 200


def test_it_takes_the_next_one_when_there_is_room(small: LiveServer, simulator: Simulator) -> None:
    assert Client(small.url).chat("Hello").status_code == 200


def test_a_server_that_stops_refuses_new_ones_and_ends_the_old_one(simulator: Simulator) -> None:
    server = LiveServer(**simulator.env("openai"), SHUTDOWN_GRACE="60")
    client = Client(server.url)
    simulator.script("openai", chunks=1000, delay=0.02)
    try:
        with client.stream("Hello", conversation_id=new_id()) as stream:
            stream.until_text()
            server.process.terminate()
            assert int(wait_for(lambda: _refused(client)).headers["Retry-After"]) > 0
            assert client.get("/readyz").status_code == 503
            client.cancel(stream.message_id)
        assert server.process.wait(60) == 0
    finally:
        server.close()


def _refused(client: Client) -> httpx.Response | None:
    answer = client.chat("")  # which is 400 as long as requests are taken
    return answer if answer.status_code == 503 else None


# -- one caller ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pair(redis_url: str) -> Iterator[list[LiveServer]]:
    """Two servers with a Redis between them: one reply at a time for each caller, and room for many callers."""
    variables = {**Simulator(simulator_server.ensure_running()).env("openai"), "REDIS_URL": redis_url}
    variables |= {"MAX_ACTIVE_GENERATIONS_PER_CALLER": "1", "TRUSTED_PROXIES": "127.0.0.1"}
    first = LiveServer(**variables)
    started = [first, LiveServer(**variables, database=first.database_url)]
    yield started
    for each in reversed(started):
        each.close()


def from_(server: LiveServer, address: str) -> Client:
    return Client(server.url, headers={"X-Forwarded-For": address})


@pytest.fixture
def busy(pair: list[LiveServer], simulator: Simulator) -> Iterator[Client]:
    """A client who has as many replies under way as one may; they are on the first server."""
    client = from_(pair[0], "192.0.2.1")
    simulator.script("openai", **STALLED, times=1)
    with client.stream("Hello", conversation_id=new_id()) as stream:
        stream.until_text()
        yield client
        client.cancel(stream.message_id)


def test_a_caller_is_refused_one_too_many(busy: Client) -> None:
    answer = busy.chat("Hello")
    assert (answer.status_code, list(answer.json())) == (503, ["detail"])
    assert int(answer.headers["Retry-After"]) > 0


def test_a_caller_is_refused_in_the_shape_of_each_route(busy: Client) -> None:
    assert set(busy.complete("Hello").json()) == {"error", "details"}
    openai = busy.post("/v1/chat/completions", {"model": "gpt-4o", "messages": [user("Hello")]})
    assert (openai.status_code, openai.json()["error"]["type"]) == (503, "server_error")


def test_a_caller_is_refused_by_the_other_server_too(busy: Client, pair: list[LiveServer]) -> None:
    assert from_(pair[1], "192.0.2.1").chat("Hello", conversation_id=new_id()).status_code == 503


def test_another_caller_is_served(busy: Client, pair: list[LiveServer]) -> None:
    assert from_(pair[0], "192.0.2.2").chat("Hello").status_code == 200


def test_nothing_is_done_for_what_a_caller_is_refused(busy: Client, simulator: Simulator) -> None:
    conversation, asked = new_id(), len(simulator.chats())
    assert busy.complete("Hello", conversation_id=conversation).status_code == 503
    assert busy.get(f"/chat/history/{conversation}").status_code == 404
    assert len(simulator.chats()) == asked


def test_what_a_caller_is_refused_does_not_count_against_the_limit(
    pair: list[LiveServer], simulator: Simulator
) -> None:
    client = from_(pair[0], "192.0.2.3")
    simulator.script("openai", **STALLED, times=1)
    with client.stream("Hello", conversation_id=new_id()) as stream:
        stream.until_text()
        assert client.chat("Hello").status_code == 503
        client.cancel(stream.message_id)
    left = client.chat("Hello").headers["X-RateLimit-Remaining"]
    assert int(stream.headers["X-RateLimit-Remaining"]) - int(left) == 1


def test_a_caller_who_asks_again_with_the_same_key_joins_his_reply(
    pair: list[LiveServer], simulator: Simulator
) -> None:
    client, headers = from_(pair[0], "192.0.2.4"), {"Idempotency-Key": new_id()}
    simulator.script("openai", **STALLED, times=1)
    fields: Any = {"conversation_id": new_id(), "headers": headers}
    with client.stream("Hello", **fields) as first, from_(pair[0], "192.0.2.4").stream("Hello", **fields) as second:
        assert (second.message_id, second.until_text()) == (first.message_id, first.until_text())
        client.cancel(first.message_id)


def test_a_caller_may_go_on_when_a_reply_has_ended(pair: list[LiveServer], simulator: Simulator) -> None:
    statuses = [from_(server, "192.0.2.5").chat("Hello").status_code for server in [*pair, *pair, *pair]]
    assert statuses == [200] * 6


def test_what_could_not_begin_leaves_no_place_taken(pair: list[LiveServer], simulator: Simulator) -> None:
    client = from_(pair[0], "192.0.2.6")
    for _ in range(3):
        assert client.post("/chat/messages/msg-1/regenerate", {}).status_code == 404
    assert client.chat("Hello").status_code == 200
