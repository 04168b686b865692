"""A server that is killed in mid-stream and started again on the same database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.contract import events
from tests.contract.client import Client, new_id, wait_for
from tests.services.server import LiveServer
from tests.simulator import Simulator


@pytest.fixture
def killed(simulator: Simulator) -> Iterator[tuple[LiveServer, str, str, str]]:
    """Server (running again), conversation, the reply that was under way, and the text that its client saw."""
    server = LiveServer(**simulator.env("openai"))
    client, conversation = Client(server.url), new_id()
    client.complete("Before", conversation_id=conversation)
    simulator.script("openai", chunks=400, delay=0.02, times=1)
    try:
        with client.stream("During", conversation_id=conversation) as stream:
            stream.until_text(200)
            server.kill()
            with pytest.raises((httpx.HTTPError, AssertionError)):
                stream.rest()
        server.start()
        yield server, conversation, stream.message_id, stream.text
    finally:
        server.close()


def test_nothing_is_lost_and_the_next_turn_works(
    killed: tuple[LiveServer, str, str, str], simulator: Simulator
) -> None:
    """One test of several facts: a server that dies costs seconds."""
    server, conversation, reply, seen = killed
    client = Client(server.url)
    entry = wait_for(lambda: _ended(client, conversation), seconds=30)
    assert (entry["id"], entry["status"]) == (reply, "interrupted")
    assert seen.startswith(entry["content"]) or entry["content"].startswith(seen)
    assert len(entry["content"]) >= len(seen) - 5 * 50 * 0.25 - 5  # a quarter of a second of text
    assert client.texts(conversation)[0] == "Before"
    assert client.texts(conversation)[2] == "During"

    lost = client.rejoined(reply, len(entry["content"]) + 50)
    assert "lost" in events.errors(lost)[0]
    assert lost[-1].data == events.DONE

    assert client.complete("After", conversation_id=conversation).status_code == 200
    sent = [message["content"] for message in simulator.last("openai")["body"]["messages"]]
    assert sent[-3:] == ["During", entry["content"], "After"]
    assert len(client.history(conversation)) == 6


def _ended(client: Client, conversation: str) -> dict[str, Any] | None:
    entry = client.history(conversation)[-1]
    return entry if entry.get("status", "complete") != "streaming" else None


def test_a_server_told_to_stop_tells_its_clients(simulator: Simulator) -> None:
    server = LiveServer(**simulator.env("openai"), SHUTDOWN_GRACE="0.5")
    client, conversation = Client(server.url), new_id()
    simulator.script("openai", chunks=400, delay=0.02)
    try:
        with client.stream("Hello", conversation_id=conversation) as stream:
            stream.until_text()
            server.process.terminate()
            ended = stream.rest()
        assert events.errors(ended)
        assert ended[-1].data == events.DONE
        assert server.process.wait(60) == 0
        server.start()
        entry = client.history(conversation)[-1]
        assert (entry["status"], entry["content"]) == ("interrupted", stream.text)
    finally:
        server.close()
