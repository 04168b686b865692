"""Clients that ask for a reply and then read nothing of it."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from typing import Any

import psutil

from tests.contract.client import Client, Stream, new_id
from tests.services.server import LiveServer
from tests.simulator import Simulator

READERS = 100
LENGTH = 1_500_000
LONG: dict[str, Any] = {
    "chunks": ["x" * 3000] * (LENGTH // 3000),
    "fault": "stall",
    "after": LENGTH // 3000,
    "delay": 0,
}


def lazy(server: LiveServer, message_id: str) -> socket.socket:
    """Asks for a reply from its start, with hardly any room for what comes."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", server.port))
    connection.sendall(f"GET /chat/messages/{message_id}/stream HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert connection.recv(15) == b"HTTP/1.1 200 OK"
    return connection


def memory_of(server: LiveServer) -> int:
    return sum(psutil.Process(pid).memory_info().rss for pid in server.worker_pids)


def test_they_cost_no_more_than_a_piece_of_it_each(server: LiveServer, simulator: Simulator) -> None:
    client = Client(server.url)
    simulator.script("openai", **LONG, times=1)
    with client.stream("Hello", conversation_id=new_id()) as stream:
        stream.until_text(LENGTH)
        before = memory_of(server)
        with ExitStack() as opened:
            for _ in range(READERS):
                opened.enter_context(lazy(server, stream.message_id))
            assert _answered_beside(client, stream)
            assert memory_of(server) - before < READERS * LENGTH / 2, "each would have the whole reply"
        client.cancel(stream.message_id)


def _answered_beside(client: Client, stream: Stream) -> bool:
    """Whether a client that does read gets all of it meanwhile."""
    with client.rejoin(stream.message_id) as other:
        return len(other.until_text(LENGTH)) == LENGTH
