"""What it means that a client leaves: for a stored reply nothing, for any other its end."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.contract.client import Client, connection, new_id, wait_for
from tests.simulator import Simulator

PROVIDERS = {"gpt": "openai", "claude": "anthropic", "gemini": "gemini"}
SLOW: dict[str, Any] = {"chunks": 200, "delay": 0.02}
WITHIN = 2.0


@contextmanager
def leaving(client: Client, path: bytes, body: bytes) -> Iterator[socket.socket]:
    """A request on a socket of its own, which is closed when the block ends."""
    with connection(client.url) as opened:
        opened.sendall(
            b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
            % (path, len(body), body)
        )
        yield opened


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_unstored_reply_ends_with_its_client(client: Client, simulator: Simulator, provider: str) -> None:
    simulator.script(PROVIDERS[provider], **SLOW)
    with client.stream("Hello", provider=provider) as stream:
        stream.until_text()
    left = time.time()
    assert simulator.wait(PROVIDERS[provider], seconds=WITHIN)["closed_at"] < left + WITHIN


@pytest.mark.parametrize("provider", PROVIDERS)
def test_one_that_was_told_to_be_cancelled_ends_too(client: Client, simulator: Simulator, provider: str) -> None:
    simulator.script(PROVIDERS[provider], **SLOW)
    conversation = new_id()
    with client.stream("Hello", provider=provider, conversation_id=conversation, on_disconnect="cancel") as stream:
        stream.until_text()
        reply = stream.message_id
    simulator.wait(PROVIDERS[provider], seconds=WITHIN)
    ended = client.ended(reply)
    assert ended["status"] == "cancelled"
    assert ended["content"]
    assert client.texts(conversation) == ["Hello", ended["content"]]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("fields", [{}, {"on_disconnect": "continue"}, {"on_disconnect": None}])
def test_a_stored_reply_goes_on(client: Client, simulator: Simulator, provider: str, fields: dict[str, Any]) -> None:
    simulator.script(PROVIDERS[provider], chunks=20, delay=0.02)
    conversation = new_id()
    with client.stream("Hello", provider=provider, conversation_id=conversation, **fields) as stream:
        stream.until_text()
        reply = stream.message_id
    ended = client.ended(reply)
    assert (ended["status"], ended["position"]) == ("complete", 100)
    assert client.history(conversation)[-1]["content"] == ended["content"]


@pytest.mark.parametrize("pace", [{"first_delay": 20, "text": "x"}, {"headers_delay": 20, "text": "x"}])
def test_it_ends_before_the_first_token_too(client: Client, simulator: Simulator, pace: dict[str, Any]) -> None:
    simulator.script("openai", **pace)
    with leaving(client, b"/chat/gpt", b'{"messages":[{"role":"user","content":"Hello"}]}'):
        wait_for(simulator.chats)
    simulator.wait("openai", seconds=WITHIN)


def test_it_ends_while_the_vendor_never_pauses(client: Client, simulator: Simulator) -> None:
    simulator.script("openai", chunks=["word "] * 50, endless=True, burst=True)
    with client.stream("Hello") as stream:
        stream.until_text()
    simulator.wait("openai", seconds=WITHIN)


def test_it_ends_when_a_client_that_stopped_reading_leaves(client: Client, simulator: Simulator) -> None:
    simulator.script("openai", chunks=["word " * 1000] * 50, endless=True, delay=0.001)
    with leaving(client, b"/chat/gpt", b'{"messages":[{"role":"user","content":"Hello"}]}') as opened:
        opened.recv(1000)
        time.sleep(0.5)  # buffers fill
    simulator.wait("openai", seconds=WITHIN)


def test_a_completion_goes_on_when_its_client_leaves(client: Client, simulator: Simulator) -> None:
    conversation = new_id()
    simulator.script("openai", chunks=20, delay=0.02)
    body = b'{"message":"Hello","conversation_id":"%b"}' % conversation.encode()
    with leaving(client, b"/chat/completions", body):
        wait_for(simulator.chats)
    reply = wait_for(lambda: client.history(conversation)[-1]["id"])
    assert client.ended(reply)["position"] == 100


def test_a_completion_ends_when_it_was_told_to(client: Client, simulator: Simulator) -> None:
    conversation = new_id()
    simulator.script("openai", **SLOW)
    body = b'{"message":"Hello","conversation_id":"%b","on_disconnect":"cancel"}' % conversation.encode()
    with leaving(client, b"/chat/completions", body):
        wait_for(simulator.chats)
    simulator.wait("openai", seconds=WITHIN)
    assert client.ended(client.history(conversation)[-1]["id"])["status"] == "cancelled"


def test_it_ends_when_the_last_of_its_viewers_leaves(client: Client, simulator: Simulator) -> None:
    simulator.script("openai", **SLOW)
    with client.stream("Hello", conversation_id=new_id(), on_disconnect="cancel") as stream:
        stream.until_text()
        reply = stream.message_id
        watching = client.rejoin(reply)
        watched = watching.__enter__()
        watched.until_text()
    assert client.message(reply)["status"] == "streaming"
    watching.__exit__(None, None, None)
    assert client.ended(reply)["status"] == "cancelled"


def test_a_waiting_turn_whose_client_leaves_is_treated_the_same(client: Client, simulator: Simulator) -> None:
    conversation = new_id()
    simulator.script("openai", chunks=60, delay=0.05)
    with client.stream("first", conversation_id=conversation) as stream:
        stream.until_text()
        body = (
            b'{"messages":[{"role":"user","content":"second"}],"conversation_id":"%b","on_disconnect":"cancel"}'
            % conversation.encode()
        )
        with leaving(client, b"/chat/gpt", body):
            waiting = wait_for(lambda: next(iter(client.history(conversation)[3:]), None))
        assert client.ended(waiting["id"])["status"] == "cancelled"
        client.cancel(stream.message_id)
