"""The one writer of a process: the new text of all its replies goes to the database together.

However many replies stream, there is one transaction per `INTERVAL`; a reply's end is written at once, together with
whatever else waits at that moment. While the database is away, text stays in the replies' buffers and is written when
it is back.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from uuid import UUID

from django.db import DatabaseError, InterfaceError, OperationalError

from conversations import database
from conversations.generations.generation import Generation
from conversations.models import Status
from conversations.store import recovery
from conversations.store.batch import Append, Batch, Standing, standing, write_batch
from conversations.store.endings import Finished
from conversations.store.usage import UsageKey, UsageSums

INTERVAL = 0.18
"""Seconds between two batches: text that a killed process loses is never older, and six a second are never exceeded."""

USAGE_INTERVAL = 1.0
RETRY = 0.5
PATIENCE = 10.0
"""Seconds that an ended reply's clients wait for the database before they are told that nothing is stored."""

log = logging.getLogger("conversations.journal")


@dataclass(slots=True, eq=False)
class _End:
    generation: Generation
    finished: Finished
    done: asyncio.Future[bool]


@dataclass(slots=True)
class _Taken:
    """One batch on its way, and what has to be put back should it not arrive.

    since: when the oldest of it came, by the event loop's clock
    """

    since: float | None = None
    appends: list[tuple[Generation, Append]] = field(default_factory=list)
    ends: list[_End] = field(default_factory=list)
    usage: dict[UsageKey, UsageSums] = field(default_factory=dict)

    def batch(self) -> Batch:
        return Batch([append for _, append in self.appends], [end.finished for end in self.ends], self.usage)


class Journal:
    """on_standing is told, after every batch and look, how the process's replies stand in the database."""

    def __init__(self, worker_id: UUID, on_standing: Callable[[Standing, Iterable[int]], None]) -> None:
        self.worker_id = worker_id
        self.batches = 0
        self._on_standing = on_standing
        self._dirty: dict[Generation, None] = {}
        self._ends: list[_End] = []
        self._usage: dict[UsageKey, UsageSums] = {}
        self._wake = asyncio.Event()
        self._due: asyncio.TimerHandle | None = None
        self._written_at = -math.inf
        self._oldest: float | None = None
        self._writing: _Taken | None = None

    @property
    def lag(self) -> float:
        """Seconds for which the oldest text or end has waited to be stored."""
        waiting = [self._oldest, self._writing.since if self._writing else None]
        since = min((moment for moment in waiting if moment is not None), default=None)
        return 0.0 if since is None else asyncio.get_running_loop().time() - since

    # -- what replies tell it ---------------------------------------------------------------------------------------

    def note(self, generation: Generation) -> None:
        """There is new text. Costs nothing where that is known already."""
        if not self._dirty:
            self._wake_within(INTERVAL)
            self._begin_to_wait()
        self._dirty[generation] = None

    async def end(self, generation: Generation, finished: Finished) -> bool:
        """Return once the end is committed; False where the reply was another's to end.

        Raises `DatabaseError` where the database stays away; the end is written all the same when it is back.
        """
        loop = asyncio.get_running_loop()
        end = _End(generation, finished, loop.create_future())
        self._dirty.pop(generation, None)
        self._begin_to_wait()
        self._ends.append(end)
        self._wake.set()
        patience = loop.call_later(PATIENCE, _too_late, end.done)
        try:
            return await end.done
        finally:
            patience.cancel()

    def count(self, key: UsageKey, sums: UsageSums) -> None:
        """Add to the day's usage, with the next batch."""
        if not self._usage:
            self._wake_within(USAGE_INTERVAL)
        total = self._usage.setdefault(key, {})
        for name, amount in sums.items():
            total[name] = total.get(name, 0) + amount

    # -- the writer -------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self.flush()

    async def flush(self) -> bool:
        """Write what there is. False where the database could not be reached; then everything is kept."""
        taken = self._take()
        if not (taken.appends or taken.ends or taken.usage):
            return True
        self._written_at = asyncio.get_running_loop().time()
        self._writing = taken
        try:
            return await self._write(taken)
        finally:
            self._writing = None

    async def _write(self, taken: _Taken) -> bool:
        try:
            stands = await database.write(write_batch, self.worker_id, taken.batch())
        except (OperationalError, InterfaceError) as error:
            self._put_back(taken)
            log.warning("journal waits", extra={"event": "journal_waits", "error": type(error).__name__})
            await asyncio.sleep(RETRY)
            return False
        except Exception:
            # The boundary of all replies: what the database refuses of one must not keep the others from it.
            log.exception("batch refused", extra={"event": "batch_refused"})
            await self._apart(taken)
            return True
        self._settle(taken, stands)
        return True

    async def _apart(self, taken: _Taken) -> None:
        """Write what was refused together one by one; what is refused again fails alone."""
        parts = [_Taken(taken.since, appends=[append]) for append in taken.appends]
        parts += [_Taken(taken.since, ends=[end]) for end in taken.ends]
        for part in [*parts, _Taken(usage=taken.usage)]:
            try:
                stands = await database.write(write_batch, self.worker_id, part.batch())
            except (OperationalError, InterfaceError):
                self._put_back(part)
            except Exception:
                log.exception("write refused", extra={"event": "write_refused"})
                for end in part.ends:
                    await self._give_up(end)
            else:
                self._settle(part, stands)

    async def _give_up(self, end: _End) -> None:
        """An end that cannot be written: the reply ends with what the journal holds, so that no turn waits for it."""
        try:
            await database.write(recovery.end_for_another, end.finished.message_pk, Status.FAILED)
        except DatabaseError as error:
            if not end.done.done():
                end.done.set_exception(error)
        else:
            if not end.done.done():
                end.done.set_result(False)

    async def look(self) -> None:
        """Learn how the replies stand without writing. Raises `DatabaseError`."""
        self._on_standing(await database.read(standing, self.worker_id), ())

    @property
    def written_within_interval(self) -> bool:
        return asyncio.get_running_loop().time() - self._written_at < INTERVAL

    def _wake_within(self, interval: float) -> None:
        """Write at an interval from the last batch: at once where that is over."""
        loop = asyncio.get_running_loop()
        at = self._written_at + interval
        if at <= loop.time():
            self._wake.set()
        elif self._due is None or at < self._due.when():
            self._forget_due()
            self._due = loop.call_at(at, self._wake.set)

    def _forget_due(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _take(self) -> _Taken:
        self._forget_due()
        taken = _Taken(since=self._oldest, ends=self._ends, usage=self._usage)
        for generation in self._dirty:
            if append := _append_of(generation):
                taken.appends.append((generation, append))
                generation.in_journal = True
        self._dirty, self._ends, self._usage, self._oldest = {}, [], {}, None
        return taken

    def _begin_to_wait(self) -> None:
        if self._oldest is None:
            self._oldest = asyncio.get_running_loop().time()

    def _put_back(self, taken: _Taken) -> None:
        self._oldest = taken.since if taken.since is not None else self._oldest
        for generation, _ in taken.appends:
            self._dirty[generation] = None
        ended = {end.generation for end in taken.ends}
        self._ends = [*taken.ends, *(end for end in self._ends if end.generation not in ended)]
        for key, sums in taken.usage.items():
            self.count(key, sums)
        self._wake.set()

    def _settle(self, taken: _Taken, stands: Standing) -> None:
        self.batches += 1
        for generation, append in taken.appends:
            generation.journalled = append.position + len(append.text)
            generation.serving_told = generation.serving_told or bool(append.model)
        for end in taken.ends:
            if not end.done.done():
                end.done.set_result(end.finished.message_pk in stands.mine)
        written = [append.message_pk for _, append in taken.appends]
        self._on_standing(stands, written + [end.finished.message_pk for end in taken.ends])


def _too_late(done: asyncio.Future[bool]) -> None:
    if not done.done():
        done.set_exception(DatabaseError("the end could not be written in time"))


def _append_of(generation: Generation) -> Append | None:
    begun = generation.stored
    if begun is None or generation.buffer.ending is not None:
        return None
    serving = None if generation.serving_told else generation.production.serving
    return Append(
        message_pk=begun.message_pk,
        position=generation.journalled,
        text=generation.buffer.since(generation.journalled),
        provider=serving.provider if serving else "",
        model=serving.model if serving else "",
        time_to_first_token_ms=generation.production.time_to_first_token_ms,
    )
