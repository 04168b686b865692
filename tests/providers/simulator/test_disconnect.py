"""A client that leaves: the simulator notices at once, whatever it is doing."""

from __future__ import annotations

import json
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.simulator import Simulator

BODY = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}], "stream": True}


def connect(simulator: Simulator, body: dict[str, Any] = BODY) -> socket.socket:
    """A connection on which a reply has been asked for and nothing read."""
    address = urlsplit(simulator.root)
    connection = socket.create_connection((address.hostname, address.port), timeout=5)
    content = json.dumps(body).encode()
    head = f"POST /openai/v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}\r\n"
    connection.sendall(f"{head}Authorization: Bearer any\r\n\r\n".encode() + content)
    return connection


@pytest.mark.parametrize(
    "fields",
    [
        {"fault": "stall", "after": -1},
        {"fault": "stall", "after": 0},
        {"chunks": 3, "fault": "stall", "after": 2},
        {"headers_delay": 60},
        {"first_delay": 60},
        {"chunks": 5, "delay": 60},
        {"chunks": 5, "endless": True},
        {"chunks": 5, "endless": True, "burst": True},
        {"chunks": 5, "endless": True, "delay": 0.001},
    ],
)
def test_it_notices_a_client_that_leaves(simulator: Simulator, fields: dict[str, Any]) -> None:
    simulator.script(**fields)
    connection = connect(simulator)
    simulator.wait(state="open")
    connection.close()
    simulator.wait(state="client_closed")


def test_it_notices_a_client_that_leaves_a_reply_in_one_piece(simulator: Simulator) -> None:
    simulator.script(first_delay=60)
    connection = connect(simulator, {**BODY, "stream": False})
    simulator.wait(state="open")
    connection.close()
    simulator.wait(state="client_closed")


def test_it_waits_for_a_client_that_does_not_read(simulator: Simulator) -> None:
    """What it sends is bounded by the buffers between the two: nothing piles up."""
    simulator.script(chunks=100, size=1000, endless=True, burst=True)
    with connect(simulator):
        sent = -1
        while sent != (sent := simulator.wait(state="open")["chunks"]) or not sent:
            pass
        assert sent * 1000 < 100_000_000
    simulator.wait(state="client_closed")


def test_it_calls_an_exchange_finished_when_the_client_leaves_after_its_end(simulator: Simulator) -> None:
    simulator.script(text="Hello")
    connection = connect(simulator)
    simulator.wait(state="finished")
    connection.close()
    assert simulator.wait(state="finished")["state"] == "finished"
