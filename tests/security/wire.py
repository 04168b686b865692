"""Bytes to a server and bytes back, for what no HTTP library would send or show."""

from __future__ import annotations

import re

from tests.dialogix.sockets import exchange
from tests.services.server import LiveServer

STATUS_LINE = re.compile(rb"HTTP/1\.1 (\d{3}) ")

HIDDEN = b"GET /health/hidden HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
"""What an attacker hopes is taken for a request of its own; nothing else is answered with `HIDDEN_ANSWER`."""

HIDDEN_ANSWER = b"Invalid provider"


def statuses(server: LiveServer, *pieces: bytes) -> list[int]:
    """Of all answers to that, until the server closes."""
    return [int(status) for status in STATUS_LINE.findall(exchange(server, *pieces))]


def head(path: str = "/health", *fields: str, method: str = "GET", host: str | None = "localhost") -> bytes:
    """A request without a body, after which the server closes. host: None for none"""
    lines = [f"{method} {path} HTTP/1.1", *([] if host is None else [f"Host: {host}"]), "Connection: close", *fields]
    return "".join(line + "\r\n" for line in [*lines, ""]).encode("latin-1")


def post(*fields: bytes, body: bytes = b"", version: bytes = b"1.1") -> bytes:
    """A request that begins a conversation, framed as the fields say."""
    first = (b"POST /chat/conversations HTTP/" + version, b"Host: localhost", b"Content-Type: application/json")
    return b"".join(line + b"\r\n" for line in (*first, *fields, b"")) + body
