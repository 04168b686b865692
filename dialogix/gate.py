"""The outermost layer: every request gets its id, its one line in the log, and an answer whatever breaks inside."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from conversations.api.addresses import client_address, parse_address, trusted_proxies
from conversations.api.errors import error_body
from conversations.api.viewing import PUSH, Push
from dialogix.logs import request_id

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
OnEnd = Callable[[Scope, int, float], None]

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
CLIENT_LEFT = 499
"""What the log says of a client that left before it was answered."""

access = logging.getLogger("dialogix.access")
log = logging.getLogger("dialogix.gate")


class Gate:
    """Wraps the application. Requests inside find their id in `scope["request_id"]`, log lines in `logs.request_id`.

    on_end: told of every request what was answered, and after how many seconds it was over
    """

    def __init__(self, app: App, on_end: OnEnd | None = None) -> None:
        self._app = app
        self._on_end = on_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return
        exchange = _Exchange(scope, send)
        try:
            await self._app(scope, receive, exchange.send)
        except Exception:  # the boundary of the server: the client gets an answer, and nobody a stack trace
            log.exception("a request broke")
            await exchange.apologise()
        finally:
            exchange.close()
            if self._on_end is not None:
                self._on_end(scope, exchange.status, exchange.seconds)


class _Exchange:
    """One request under way."""

    __slots__ = ("_began", "_bytes", "_id", "_push", "_scope", "_send", "_status")

    def __init__(self, scope: Scope, send: Send) -> None:
        given = _header(scope, b"x-request-id")
        name = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(16)
        self._scope = scope
        self._send = send
        self._began = time.monotonic()
        self._status = 0
        self._bytes = 0
        self._id = name.encode()
        scope["request_id"] = name
        scope.setdefault("state", {})["request_id"] = name
        request_id.set(name)
        self._push: Push | None = scope.get("extensions", {}).get(PUSH)
        if self._push is not None:
            scope["extensions"][PUSH] = self.push
        _believe_proxies(scope)

    def send(self, message: Message) -> Awaitable[None]:
        """Not a coroutine of its own, so that a delta costs one less."""
        kind = message["type"]
        if kind == "http.response.body":
            self._bytes += len(message.get("body", b""))
        elif kind == "http.response.start" or kind == "websocket.http.response.start":
            self._status = message["status"]
            message["headers"] = [*message.get("headers", ()), (b"x-request-id", self._id)]
        elif kind == "websocket.accept":
            self._status = 101
            message["headers"] = [*message.get("headers", ()), (b"x-request-id", self._id)]
        elif kind == "websocket.close" and not self._status:
            self._status = 403
        return self._send(message)

    def push(self, data: bytes) -> bool:
        """The server's own, with its bytes counted."""
        assert self._push is not None
        pushed = self._push(data)
        if pushed:
            self._bytes += len(data)
        return pushed

    async def apologise(self) -> None:
        """Answer 500, unless an answer has begun: then the server closes the connection, and the client knows."""
        if self._status:
            return
        if self._scope["type"] == "websocket":
            await self.send({"type": "websocket.close", "code": 1011})
            return
        await answer(self.send, 500, error_body(self._scope["path"], 500, "Failed to process request."))

    @property
    def status(self) -> int:
        return self._status or CLIENT_LEFT

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def close(self) -> None:
        self._scope.get("extensions", {}).pop(PUSH, None)  # the two know each other: memory would wait for a collection
        self._log()

    def _log(self) -> None:
        status = self.status
        scope = self._scope
        fields = {
            "method": scope.get("method", "WEBSOCKET"),
            "path": scope["path"],
            "status": status,
            "duration_ms": round(self.seconds * 1000, 1),
            "bytes": self._bytes,
            "client": scope["client_address"],
        }
        access.info("%s %s %s", fields["method"], fields["path"], status, extra=fields)


def _believe_proxies(scope: Scope) -> None:
    """Set the client's address, and the scheme it used, as far as `TRUSTED_PROXIES` vouch for them."""
    peer, trusted = (scope.get("client") or ("", 0))[0], trusted_proxies()
    scope["client_address"] = client_address(peer, _header(scope, b"x-forwarded-for"), trusted)
    if not trusted or _header(scope, b"x-forwarded-proto").strip().lower() != "https":
        return
    address = parse_address(peer)
    if address is not None and any(address in network for network in trusted):
        scope["scheme"] = "wss" if scope["type"] == "websocket" else "https"


def _header(scope: Scope, wanted: bytes) -> str:
    """The values of all fields of that name, joined as one."""
    return b",".join(value for name, value in scope["headers"] if name == wanted).decode("latin-1")


async def answer(send: Send, status: int, body: bytes, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    """Send a whole JSON response."""
    own = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
        *headers,
    ]
    await send({"type": "http.response.start", "status": status, "headers": own})
    await send({"type": "http.response.body", "body": body})
