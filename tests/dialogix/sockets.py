"""Requests that no client library would send."""

from __future__ import annotations

import socket
from contextlib import closing

from tests.services.server import LiveServer


def connect(server: LiveServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=30)


def exchange(server: LiveServer, *pieces: bytes) -> bytes:
    """Send the pieces, and read until the server closes. A reset counts as that."""
    with closing(connect(server)) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return read_all(connection)


def read_all(connection: socket.socket) -> bytes:
    received = b""
    try:
        while piece := connection.recv(65_536):
            received += piece
    except ConnectionResetError:
        pass
    return received


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])
