"""The bound on a request's body where Django's stock handler would spool one of any size before a view runs."""

from __future__ import annotations

from django.urls import Resolver404, resolve

from conversations.api.errors import error_body
from conversations.api.requests import MAX_BODY
from dialogix.gate import App, Message, Receive, Scope, Send, answer


class BodyBound:
    """Wraps an application. A body beyond 16 MiB, announced or not, is answered 413 and read no further."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _announced(scope) > MAX_BODY:
            await _refuse(scope, send)
            return
        counted = _Counted(receive)
        try:
            await self._app(scope, counted.receive, send)
        except _TooLarge:
            await _refuse(scope, send)


class _TooLarge(Exception):
    pass


class _Counted:
    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._size = 0

    async def receive(self) -> Message:
        message = await self._receive()
        self._size += len(message.get("body", b""))
        if self._size > MAX_BODY:
            raise _TooLarge
        return message


def _announced(scope: Scope) -> int:
    length = dict(scope["headers"]).get(b"content-length", b"")
    return int(length) if length.isdigit() else 0


async def _refuse(scope: Scope, send: Send) -> None:
    """That there is nothing at the address comes before what was sent to it."""
    path = scope["path"]
    try:
        resolve(path)
    except Resolver404:
        await answer(send, 404, error_body(path, 404, "There is nothing at this address."))
        return
    await answer(send, 413, error_body(path, 413, "The body is larger than 16 MiB."))
