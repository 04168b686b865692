"""uvicorn's HTTP protocol with what it lacks: bounds on how large a head may be and how long a client may take, and no
patience with requests that another server might read otherwise (RFC 9112, sections 3.2, 6.1 and 11.2)."""

from __future__ import annotations

import asyncio
import re
import secrets
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from conversations.api.errors import error_body
from dialogix.pushing import PushingProtocol
from dialogix.unchunked import unchunk

MAX_HEAD = 64 * 1024
"""Bytes of the request line and the header block."""

MAX_URL = 16 * 1024
HEAD_SECONDS = 20.0
"""From a connection's beginning, or its next request's first byte, to the end of the head."""

BODY_SECONDS = 60.0
"""Of silence within a body."""

WHOLE_BODY_SECONDS = 600.0
"""For all of a body, however steadily it drips."""

MAX_CHUNKING = 1024 * 1024
"""Bytes of chunk sizes and extensions around a body, beyond the 16 for each of its own bytes that nobody can need."""

MAX_DISCARDED = 64 * 1024 * 1024
"""Bytes of a refused body that are read and thrown away, so that who sends it all still hears why it was refused."""

PROBLEMS = {
    400: "The request is not valid HTTP.",
    414: "The address is longer than 16 KiB.",
    431: "The header block is larger than 64 KiB.",
}


class _Refused(Exception):
    """Raised inside the parser's callbacks, where it ends the parsing."""


class BoundedProtocol(PushingProtocol):
    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.url = b""
        self._in_head = True
        self._in_body = False
        self._handed_over = False
        self._head = 0
        self._around = 0
        self._body_began = 0.0
        self._discarded = 0
        self._refusal = 400
        self._heard = 0.0
        self._patience: asyncio.TimerHandle | None = None

    # -- bytes ------------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        # The parser keeps an unfinished line to itself, so what it was given has to be counted, too.
        waiting = self._head if self._in_head else 0
        super().data_received(data)
        if self.transport.is_closing() or self._handed_over:
            self._stop_waiting()
        elif self._in_body:
            self._heard_body(len(data))
        elif self._in_head or self._is_idle():
            self._heard_head(waiting + len(data))
        elif self._patience is not None:
            self._stop_waiting()

    def _is_idle(self) -> bool:
        """Whether nothing is under way: what was heard, such as an empty line, ended uvicorn's wait for nothing."""
        return self.timeout_keep_alive_task is None and (self.cycle is None or self.cycle.response_complete)

    def _heard_head(self, size: int) -> None:
        """size: bytes of the head so far"""
        self._in_head, self._head = True, max(self._head, size)
        if self._head > MAX_HEAD:
            self._refuse(431)
        elif self._patience is None:
            self._wait(HEAD_SECONDS)

    def _heard_body(self, size: int) -> None:
        self._around += size
        self._heard = self.loop.time()
        if self._around > MAX_CHUNKING:
            self._refuse(400)
        elif self._patience is None:
            self._body_began = self._heard
            self._wait(BODY_SECONDS)

    def handle_websocket_upgrade(self) -> None:
        self._handed_over = True
        self._stop_waiting()
        super().handle_websocket_upgrade()

    # -- the parser's callbacks -------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head, self._discarded, self._around = True, 1, 0, 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > MAX_URL:
            self._refusal = 414
            raise _Refused

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:
            super().on_header(name, value)
        # Else it stands behind a chunked body, where nobody in front looked at it: it means nothing (RFC 9110, 6.5.1).
        self._head += len(name) + len(value) + 4
        if self._head + len(self.url) > MAX_HEAD:
            self._refusal = 431
            raise _Refused

    def on_headers_complete(self) -> None:
        if not _is_plain(self.parser.get_http_version(), self.url, self.headers):
            raise _Refused
        self._in_head, self._in_body = False, True
        if self._patience is not None:
            self._stop_waiting()
        super().on_headers_complete()
        if self.parser.get_http_version() == "1.0" and self.cycle is not None and self.cycle.scope is self.scope:
            unchunk(self.cycle)

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._around -= 17 * len(body)
        if self.cycle.response_complete:
            self._discarded += len(body)
            if self._discarded > MAX_DISCARDED:
                self.transport.close()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_body = False
        if self.cycle is not None and self.cycle.response_complete and self.timeout_keep_alive_task is None:
            # Answered before the body had come: nothing else would ever close the connection if it stays idle.
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    # -- refusals ---------------------------------------------------------------------------------------------------

    def send_400_response(self, msg: str) -> None:
        """What uvicorn calls when the parser gives up."""
        self._refuse(self._refusal)

    def _refuse(self, status: int) -> None:
        self._stop_waiting()
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(self._refusal_of(status))
        # Else another answer is on its way over this connection, and bytes between its own would only garble it.
        self.transport.close()

    def _refusal_of(self, status: int) -> bytes:
        path = self.url.partition(b"?")[0].decode("latin-1")
        body = error_body(path, status, PROBLEMS[status])
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"x-request-id", secrets.token_hex(16).encode()),
            (b"connection", b"close"),
        ]
        head = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        return STATUS_LINE[status] + head + b"\r\n" + body

    # -- patience ---------------------------------------------------------------------------------------------------

    def _wait(self, seconds: float) -> None:
        self._heard = self.loop.time()
        self._patience = self.loop.call_later(seconds, self._lose_patience, seconds)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _lose_patience(self, seconds: float) -> None:
        self._patience = None
        left = min(self._heard + seconds, self._body_began + WHOLE_BODY_SECONDS) - self.loop.time()
        if self._in_body and left > 0:
            self._patience = self.loop.call_later(left, self._lose_patience, seconds)
        elif self._in_head or self._in_body:
            self.transport.close()


def _is_plain(version: str, url: bytes, headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether all servers agree on where the request ends and whom it is for, as far as the parser leaves that open."""
    hosts, codings = [], []
    for name, value in headers:
        if name == b"host":
            hosts.append(value)
        elif name == b"transfer-encoding":
            codings.append(value.strip().lower())
    if version == "1.0":
        return not codings and len(hosts) <= 1
    if version != "1.1" or len(hosts) != 1 or codings not in ([], [b"chunked"]):
        return False
    return url.startswith((b"/", b"*")) or _authority(url) == hosts[0].lower()


def _authority(url: bytes) -> bytes:
    """`host:port` of an absolute address, with whatever else stands there."""
    after = url.partition(b"://")[2]
    return re.split(rb"[/?#]", after, maxsplit=1)[0].lower()
