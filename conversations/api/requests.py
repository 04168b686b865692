"""A chat request: Django's own, whose body is read only when a view asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from io import BytesIO
from typing import Any, TypeVar

from django.core.handlers.asgi import ASGIRequest
from msgspec import Struct

from conversations.api.bodies import decoded
from conversations.api.errors import ApiError

MAX_BODY = 16 * 1024 * 1024
"""Bytes. The largest legal request, 50 messages of 24 000 escaped characters, has 14 MiB."""

T = TypeVar("T", bound=Struct)


class ClientLeftError(Exception):
    """Nobody is left to answer."""


class BodyTooLargeError(Exception):
    """More than `MAX_BODY`; what follows is not read."""


class ChatRequest(ASGIRequest):
    """Once its body is read, the task that answers it is cancelled when the client leaves (`client_left` tells)."""

    def __init__(self, scope: dict[str, Any], receive: Callable[[], Awaitable[MutableMapping[str, Any]]]) -> None:
        super().__init__(scope, BytesIO())
        self._receive = receive
        self._body_read = False
        self._watch: asyncio.Task[None] | None = None
        self.client_left = False
        self.request_id: str = scope.get("request_id", "")

    async def load_body(self) -> bytes:
        """The body, read whole. Raises `BodyTooLargeError` and `ClientLeftError`."""
        if not self._body_read:
            self._refuse_announced()
            self._body = await self._read()
            self._stream = BytesIO(self._body)
            self._body_read = True
        return self._body

    async def json(self, kind: type[T], *, empty_is_object: bool = False) -> T:
        """The body as `kind`. Raises `ApiError` 415 and 400.

        empty_is_object: whether no body at all means `{}` also where a content type promises one
        """
        body = await self.load_json()
        return decoded(body or (b"{}" if empty_is_object else b""), kind)

    async def load_json(self) -> bytes:
        """The body, which must say that it is JSON; neither body nor content type is `{}`.

        Raises `BodyTooLargeError`, which is judged first, and `ApiError` 415.
        """
        self._refuse_announced()
        media_type = self.META.get("CONTENT_TYPE", "").split(";")[0].strip().lower()
        if media_type and media_type != "application/json" and not media_type.endswith("+json"):
            if "HTTP_TRANSFER_ENCODING" in self.META:  # its size was not announced
                await self.load_body()
            raise _not_json()
        body = await self.load_body()
        if body and not media_type:
            raise _not_json()
        return body if media_type else b"{}"

    def watch(self) -> None:
        """From now on a client that leaves cancels the task that answers it."""
        if self._watch is None:
            answering = asyncio.current_task()
            assert answering is not None
            self._watch = asyncio.get_running_loop().create_task(self._await_disconnect(answering))

    def stop_watching(self) -> None:
        if self._watch is not None:
            self._watch.cancel()

    async def _await_disconnect(self, answering: asyncio.Task[Any]) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.client_left = True
        answering.cancel()

    def _refuse_announced(self) -> None:
        length = self.META.get("CONTENT_LENGTH", "")
        if length.isdecimal() and int(length) > MAX_BODY:
            raise BodyTooLargeError

    async def _read(self) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientLeftError
            piece = message.get("body", b"")
            size += len(piece)
            if size > MAX_BODY:
                raise BodyTooLargeError
            pieces.append(piece)
            if not message.get("more_body", False):
                return b"".join(pieces)


def _not_json() -> ApiError:
    return ApiError(415, "The body must be JSON: send it with Content-Type: application/json.")
