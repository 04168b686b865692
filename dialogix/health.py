"""How the system is: what the documents ask (`/health`), and what orchestrators do (`/livez`, `/readyz`)."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime

import msgspec
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from conversations import database
from conversations.api.errors import MOUNT, error_body
from conversations.generations import engine
from conversations.models import Conversation
from dialogix import __version__
from dialogix.gate import Receive, Scope, Send, answer
from providers import registry

PATIENCE = 2.0
"""Seconds within which the database has to answer."""

FRESH = 1.0
"""Seconds for which its answer counts, so that nobody can keep it busy by asking."""

log = logging.getLogger(__name__)


async def system(request: HttpRequest) -> HttpResponse:
    """The two documents differ in one word: `OK` at the root, `ok` under `/api/v1`."""
    report = {
        "status": "ok" if request.path_info.startswith(MOUNT) else "OK",
        "message": "System operational",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "version": __version__,
    }
    return HttpResponse(msgspec.json.encode(report), content_type="application/json")


async def live(scope: Scope, receive: Receive, send: Send) -> None:
    """This process answers; nothing else is asked."""
    await _probe(scope, send, None)


async def ready(scope: Scope, receive: Receive, send: Send) -> None:
    """Requests may be sent here: all is loaded, the database answers, and the server is not about to stop."""
    if engine.draining:
        problem: str | None = "The server is shutting down."
    elif registry.is_warming_up():
        problem = "The server is starting."
    else:
        problem = await _database.problem()
    await _probe(scope, send, problem)


async def _probe(scope: Scope, send: Send, problem: str | None) -> None:
    path = scope["path"]
    if scope["method"] not in ("GET", "HEAD"):
        allow = (b"allow", b"GET, HEAD")
        await answer(send, 405, error_body(path, 405, "This address takes GET, HEAD."), (allow,))
    elif problem is not None:
        await answer(send, 503, error_body(path, 503, problem), ((b"retry-after", b"5"),))
    else:
        await answer(send, 200, b'{"status":"ok"}')


class _Database:
    """Whether the database has our tables and answers; asked once for all who want to know at the same time."""

    def __init__(self) -> None:
        self._asked_at = 0.0
        self._asking: asyncio.Task[str | None] | None = None

    async def problem(self) -> str | None:
        now = time.monotonic()
        stale = self._asking is None or self._asking.get_loop() is not asyncio.get_running_loop()
        if stale or (self._asking.done() and now - self._asked_at > FRESH):  # type: ignore[union-attr]
            self._asked_at = now
            self._asking = asyncio.create_task(self._ask())
        assert self._asking is not None
        return await asyncio.shield(self._asking)

    async def _ask(self) -> str | None:
        try:
            async with asyncio.timeout(PATIENCE):
                await database.read(Conversation.objects.exists)
        except (DatabaseError, TimeoutError) as error:
            log.warning("the database is not ready: %s", type(error).__name__)
            return "The database cannot be reached, or is not migrated."
        return None


_database = _Database()
