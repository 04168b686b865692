"""A server that takes no more replies: 503 and when to come again, before anything else is judged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from providers.simulator import server as simulator_server
from tests.contract.client import Client, new_id, wait_for
from tests.services.server import LiveServer
from tests.simulator import Simulator

STALLED: dict[str, Any] = {"chunks": ["some ", "text"], "fault": "stall", "after": 1}


@pytest.fixture(scope="module")
def small() -> Iterator[LiveServer]:
    """One reply at a time."""
    vendors = Simulator(simulator_server.ensure_running()).env()
    server = LiveServer(**vendors, MAX_ACTIVE_GENERATIONS="1")
    yield server
    server.close()


@pytest.fixture
def full(small: LiveServer, simulator: Simulator) -> Iterator[Client]:
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
    server = LiveServer(**simulator.env(), SHUTDOWN_GRACE="60")
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
