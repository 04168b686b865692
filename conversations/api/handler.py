"""The chat path from ASGI to view and back, on Django's own request, resolver and responses.

Django's stock handler costs two thread hops a request (its signals and `response.close`) and the usual middlewares one
each; a chat request pays for none of it. Only what the documents' routes need is here: the route, the host, CORS, and
errors in the shape of the route.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import aclosing
from functools import cached_property, lru_cache
from typing import Any, cast

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.core.exceptions import DisallowedHost, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import Resolver404, ResolverMatch, get_resolver

from conversations import database
from conversations.api.cors import CorsMiddleware
from conversations.api.errors import RETRY_AFTER, ApiError, error_body, from_refusal
from conversations.api.requests import BodyTooLargeError, ChatRequest, ClientLeftError
from conversations.api.viewing import PUSH, EventStream, Push
from conversations.refusals import TurnRefused

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

log = logging.getLogger("conversations.api")


class ChatApplication:
    """An ASGI application for the routes of `urlconf`."""

    def __init__(self, urlconf: str) -> None:
        self._urlconf = urlconf

    @cached_property
    def _route(self) -> Callable[[str], ResolverMatch]:
        """The route of a path; those asked for again and again, such as where messages go, are not looked for anew."""
        return lru_cache(maxsize=128)(get_resolver(self._urlconf).resolve)

    @cached_property
    def _respond(self) -> Callable[[ChatRequest], Awaitable[HttpResponseBase]]:
        return CorsMiddleware(self._answer)  # type: ignore[arg-type, return-value]

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        request = ChatRequest(scope, receive)
        try:
            response = await self._respond(request)
            _protect(response, encrypted=scope.get("scheme") == "https")
            if isinstance(response, EventStream):
                await _send_events(response, send, scope.get("extensions", {}).get(PUSH))
            else:
                await _send(response, send)
        except ClientLeftError:
            pass
        except asyncio.CancelledError:
            if not request.client_left:
                raise
            task = asyncio.current_task()
            while task is not None and task.cancelling():
                task.uncancel()
        finally:
            request.stop_watching()

    async def _answer(self, request: ChatRequest) -> HttpResponseBase:
        """The view's response, or the error that stopped it in the shape of the route."""
        try:
            return await self._view(request)
        except ApiError as error:
            return error_response(request.path_info, error)
        except TurnRefused as refusal:
            return error_response(request.path_info, from_refusal(refusal))
        except SuspiciousOperation:  # Django's own bounds, such as on the number of parameters
            return error_response(request.path_info, ApiError(400, "The request has more parts than anybody needs."))
        except BodyTooLargeError:
            return error_response(request.path_info, ApiError(413, "The body is larger than 16 MiB."))
        except (OperationalError, InterfaceError):
            log.exception("database unavailable", extra={"event": "database_unavailable"})
            message = "The database cannot be reached. Please try again in a moment."
            return error_response(request.path_info, ApiError(503, message, headers={"Retry-After": RETRY_AFTER}))
        except ClientLeftError:
            raise
        except Exception:
            # The boundary of a request: never a stack trace, always an answer.
            log.exception("request broke", extra={"event": "request_broke"})
            return error_response(request.path_info, ApiError(500, "Failed to process request."))

    async def _view(self, request: ChatRequest) -> HttpResponseBase:
        try:
            request.get_host()
        except DisallowedHost:
            raise ApiError(400, "This host name is not served here (ALLOWED_HOSTS).") from None
        try:
            match = self._route(request.path_info)
        except Resolver404:
            raise ApiError(404, "There is nothing at this address.") from None
        request.resolver_match = match
        request.scope["route"] = match.route  # type: ignore[index]  # for the metrics
        if iscoroutinefunction(match.func):
            return await match.func(request, *match.args, **match.kwargs)
        await request.load_body()
        return await database.write(match.func, request, *match.args, **match.kwargs)


def error_response(path: str, error: ApiError) -> HttpResponse:
    body = error_body(path, error.status, error.details, param=error.param, code=error.code)
    return HttpResponse(body, status=error.status, content_type="application/json", headers=error.headers)


def _protect(response: HttpResponseBase, *, encrypted: bool) -> None:
    """What holds for every answer: no cache keeps one that says nothing about it, and browsers stay with TLS."""
    response.headers.setdefault("Cache-Control", "no-store")
    if encrypted and settings.SECURE_HSTS_SECONDS:
        response.headers["Strict-Transport-Security"] = f"max-age={settings.SECURE_HSTS_SECONDS}"


def _headers(response: HttpResponseBase) -> list[tuple[bytes, bytes]]:
    headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in response.items()]
    headers += [
        (b"Set-Cookie", cookie.output(header="").strip().encode("ascii")) for cookie in response.cookies.values()
    ]
    headers.append((b"X-Content-Type-Options", b"nosniff"))
    return headers


async def _start(response: HttpResponseBase, send: Send) -> None:
    await send({"type": "http.response.start", "status": response.status_code, "headers": _headers(response)})


async def _send(response: HttpResponseBase, send: Send) -> None:
    """A whole response, or one that is made piece by piece (`StreamingHttpResponse`)."""
    if isinstance(response, HttpResponse):
        response.headers.setdefault("Content-Length", str(len(response.content)))
        await _start(response, send)
        await send({"type": "http.response.body", "body": response.content})
        return
    await _start(response, send)
    async for piece in cast("StreamingHttpResponse", response):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _send_events(response: EventStream, send: Send, push: Push | None) -> None:
    """A viewer's events, each in one write. However this ends, the viewer leaves."""
    try:
        await _start(response, send)
        async with aclosing(response.viewer.events(push)) as events:
            async for event in events:
                await send({"type": "http.response.body", "body": event, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        response.leave()


chat_application = ChatApplication("conversations.api.urls")
