"""Clients of HTTP/1.0, such as a proxy that was never told to speak anything newer: they know no chunks."""

from __future__ import annotations

import json

import pytest

from tests.contract import events
from tests.contract.client import new_id, user
from tests.dialogix.sockets import exchange
from tests.services.server import LiveServer
from tests.simulator import Simulator


def ask(server: LiveServer, method: str, path: str, fields: dict[str, object] | None = None) -> tuple[str, str]:
    """Head and body of the answer, which ends with the connection."""
    body = b"" if fields is None else json.dumps(fields).encode()
    head = f"{method} {path} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    answered, _, rest = exchange(server, head.encode() + body).partition(b"\r\n\r\n")
    return answered.decode().lower(), rest.decode()


@pytest.mark.parametrize("stored", [False, True])
def test_it_streams_without_chunks(server: LiveServer, simulator: Simulator, stored: bool) -> None:
    simulator.script(text="One two three", size=4)
    fields = {"conversation_id": new_id()} if stored else {}
    head, body = ask(server, "POST", "/chat/gpt", {"messages": [user("Count")], **fields})
    assert "transfer-encoding" not in head
    assert events.text_of(events.read(body)) == "One two three"


def test_it_sends_a_download_without_chunks(server: LiveServer, simulator: Simulator) -> None:
    conversation = new_id()
    ask(server, "POST", "/chat/completions", {"conversation_id": conversation, "message": "Hello"})
    body = ask(server, "GET", f"/chat/conversations/{conversation}/export")[1]
    assert len(json.loads(body)["messages"]) == 2


def test_it_promises_no_connection_that_it_closes(server: LiveServer, simulator: Simulator) -> None:
    head, _ = ask(server, "POST", "/chat/gpt", {"messages": [user("Hello")]})
    assert [line for line in head.splitlines() if line.startswith("connection:")] == ["connection: close"]


def test_it_sends_no_body_where_only_the_head_was_asked_for(server: LiveServer) -> None:
    head, body = ask(server, "HEAD", "/api/docs/")
    assert head.startswith("http/1.1 200")
    assert body == ""


def test_it_says_how_long_an_answer_is_where_it_knows(server: LiveServer) -> None:
    head, body = ask(server, "GET", "/health")
    assert f"content-length: {len(body)}" in head.splitlines()
