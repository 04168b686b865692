"""A reply while it lives: a task of its own, from its beginning in the database to its end there.

Nothing here belongs to a request. Whoever wants to see the reply reads `buffer`, and may come and go.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol

from django.db import DatabaseError

from conversations.generations.buffer import Buffer, Ending
from conversations.generations.production import UNEXPECTED, Production
from conversations.models import Status
from conversations.store.begin import Begun
from conversations.store.endings import Finished
from conversations.turns import OnDisconnect
from providers.base import Provider
from providers.messages import CompletionRequest, Message

STOP_AGAIN = 0.1
"""Seconds after which a stop is repeated: a library in between may have swallowed the first."""

CANCELLED = Ending(Status.CANCELLED, "", 409)
SHUTTING_DOWN = Ending(Status.INTERRUPTED, "The server is shutting down; the text is as far as it came.", 503)
BROKEN = Ending(Status.FAILED, UNEXPECTED, 500)
KILLED = Ending(Status.INTERRUPTED, "The server stopped.", 503, stored=False)
NOT_STORED = "The reply could not be stored: the database cannot be reached."

log = logging.getLogger("conversations.generations")


class Ledger(Protocol):
    """What a stored generation needs of the journal."""

    def note(self, generation: Generation) -> None:
        """There is text that the database does not have yet."""

    async def end(self, generation: Generation, finished: Finished) -> bool:
        """Return once the end is committed; False where another has ended the reply. Raises `DatabaseError`."""

    async def found(self, message_pk: int) -> Ending:
        """How the database says that this reply ended."""


class Generation:
    """One reply. `begun` resolves to its beginning in the database, or None where it is not stored.

    answering:  who answers it, asked once it stands in the database
    request:    what is asked; messages and instructions of a stored reply are those of its conversation
    begin:      writes its beginning; None: it is not stored
    context_of: reads what goes upstream for a reply that had to wait
    """

    def __init__(
        self,
        *,
        answering: Callable[[Begun | None], Provider],
        request: CompletionRequest,
        on_disconnect: OnDisconnect,
        owner_id: int | None,
        on_end: Callable[[Generation], None],
        ledger: Ledger | None = None,
        begin: Callable[[], Awaitable[Begun]] | None = None,
        context_of: Callable[[int], Awaitable[list[Message]]] | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.buffer = Buffer()
        self.production = Production(self.buffer, self._on_text)
        self.owner_id = owner_id
        self.on_disconnect = on_disconnect
        self.arrived_at = loop.time()
        self.begun: asyncio.Future[Begun | None] = loop.create_future()
        self.begun.add_done_callback(_retrieve)
        self.go = asyncio.Event()
        self.answered = False
        self.viewers = 0
        self.journalled = 0
        self.in_journal = False
        self.serving_told = False
        self._answering = answering
        self._request = request
        self._ledger = ledger
        self._begin = begin
        self._context_of = context_of
        self._on_end = on_end
        self._stopping: Ending | None = None
        self.lost = False
        self._stoppable = False
        # A fresh context: a task that inherits a request's would take a thread of its own for every database step.
        self.task = loop.create_task(self._run(), context=contextvars.Context())

    @property
    def stored(self) -> Begun | None:
        return self.begun.result() if self.begun.done() and not self.begun.exception() else None

    @property
    def waits(self) -> bool:
        """Whether another reply of its conversation comes first."""
        begun = self.stored
        return begun is not None and begun.fresh and not begun.running and not self.go.is_set()

    def stop(self, ending: Ending) -> None:
        """End the reply with what it has, for the first reason given; the vendor's stream is closed."""
        if self._stopping is None and self.buffer.ending is None:
            self._stopping = ending
            self.production.stopped = True
            self._stop_again()

    def cancel(self) -> None:
        self.stop(CANCELLED)

    def lose(self) -> None:
        """Another has ended this reply, or deleted it: close the vendor's stream and tell the viewers."""
        self.lost = True
        self.stop(Ending(Status.INTERRUPTED, "", 503))

    def viewer_came(self) -> None:
        self.viewers += 1

    def viewer_left(self) -> None:
        """A client is gone. What that means was said when the reply was asked for."""
        self.viewers -= 1
        if self.viewers <= 0 and self.on_disconnect == "cancel":
            self.cancel()

    def _stop_again(self) -> None:
        if self.task.done() or self.buffer.ending is not None:
            return
        if self._stoppable:
            self.task.cancel()
        asyncio.get_running_loop().call_later(STOP_AGAIN, self._stop_again)

    def _on_text(self) -> None:
        if self._ledger is not None:
            self._ledger.note(self)

    async def _run(self) -> None:
        try:
            begun = await self._begin() if self._begin is not None else None
        except Exception as error:  # noqa: BLE001 - told to whoever asked, who knows what it means
            self.buffer.end(Ending(Status.FAILED, str(error), 500))
            self.begun.set_exception(error)
            self._on_end(self)
            return
        self.begun.set_result(begun)
        try:
            await self._live(begun)
        except Exception:
            # The boundary of a reply: whoever waits for its end is told, whatever broke.
            log.exception("reply broke", extra={"event": "reply_broke"})
            self.buffer.end(replace(BROKEN, stored=False))
        finally:
            self.buffer.end(KILLED)
            self._on_end(self)

    async def _live(self, begun: Begun | None) -> None:
        if begun is not None and not begun.fresh:
            return
        ending = self.production.told(await self._until_stopped(begun))
        if begun is not None and self._ledger is not None:
            ending = await self._store(self._ledger, begun, ending)
        self.buffer.end(ending)

    async def _until_stopped(self, begun: Begun | None) -> Ending:
        """Produce the reply; where that is stopped, the reason is the ending."""
        if self._stopping is not None:
            return self._stopping
        self._stoppable = True
        try:
            return await self._produce(begun)
        except asyncio.CancelledError:
            return self._reason_to_stop()
        except Exception:
            # Before a vendor was asked: its row and its viewers get an end all the same.
            log.exception("generation broke", extra={"event": "generation_broke"})
            return BROKEN
        finally:
            self._stoppable = False

    def _reason_to_stop(self) -> Ending:
        """The ending that a cancellation meant; one that we did not ask for goes on its way."""
        if self._stopping is None:
            raise asyncio.CancelledError
        while self.task.cancelling():
            self.task.uncancel()
        return self._stopping

    async def _produce(self, begun: Begun | None) -> Ending:
        request = self._request
        if begun is not None:
            messages = begun.messages if begun.running else await self._wait_for_go(begun)
            request = replace(request, messages=messages, instructions=begun.instructions)
        return await self.production.run(self._answering(begun), request)

    async def _wait_for_go(self, begun: Begun) -> list[Message]:
        await self.go.wait()
        assert self._context_of is not None
        return await self._context_of(begun.message_pk)

    async def _store(self, ledger: Ledger, begun: Begun, ending: Ending) -> Ending:
        """Write the end. What the client is told afterwards is what the database holds."""
        try:
            if not self.lost and await ledger.end(self, self._finished(begun, ending)):
                return ending
            return await ledger.found(begun.message_pk)
        except DatabaseError:
            log.error("reply not stored", extra={"event": "reply_not_stored", "message_id": begun.message_id})
            return Ending(Status.FAILED, NOT_STORED, 500, stored=False)

    def _finished(self, begun: Begun, ending: Ending) -> Finished:
        production = self.production
        serving, tally = production.serving, ending.tally
        return Finished(
            message_pk=begun.message_pk,
            conversation_pk=begun.conversation_pk,
            status=ending.status,
            text=self.buffer.text,
            provider=serving.provider if serving else "",
            model=serving.model if serving else "",
            finish_reason=ending.finish_reason,
            error=ending.error,
            input_tokens=tally.input_tokens if tally else None,
            output_tokens=tally.output_tokens if tally else None,
            usage_estimated=bool(tally and tally.estimated),
            time_to_first_token_ms=production.time_to_first_token_ms,
            duration_ms=production.duration_ms,
            begun=self.answered or bool(self.buffer.position),
            abandoned=self.viewers <= 0,
            claimed=begun.claimed,
            journalled=self.in_journal,
            attempts=tuple(production.attempts),
            said=begun.said,
        )


def _retrieve(future: asyncio.Future[Begun | None]) -> None:
    """Nobody may be left to hear of a failed beginning; that is no reason for a warning."""
    if not future.cancelled():
        future.exception()
