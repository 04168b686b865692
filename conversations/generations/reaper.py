"""Notices workers that died and ends what they left behind."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from conversations import database
from conversations.models import Status, Worker
from conversations.store import recovery, workers

BEAT = 2.0
STALE = timedelta(seconds=15)
"""A worker that the database has not heard of for so long is taken for dead."""

GAP = STALE.total_seconds() / 2
"""Seconds between two beats after which we must have been away, or asleep: others' silence may then be ours."""

SWEEP = 600.0

log = logging.getLogger("conversations.recovery")


def recover(*, silence: timedelta | None, as_of: datetime | None = None) -> int:
    """End what dead workers left: those of this host at once, others after `silence` (None: not at all).

    as_of: the moment, by the database's clock, at which they had been silent for so long; None: now
    Returns how many replies were marked `interrupted`.
    """
    ended = sum(_bury(worker, None) for worker in workers.dead_on_this_host())
    ended += _end(recovery.replies_without_worker(), None)
    if silence is not None:
        ended += sum(_bury(worker, silence) for worker in recovery.workers_dead_for(silence, as_of))
    return ended


def _bury(worker: Worker, silence: timedelta | None) -> int:
    ended = _end(recovery.replies_of(worker.pk), silence)
    recovery.forget(worker.pk, unless_seen_within=silence)
    log.warning("worker lost", extra={"event": "worker_lost", "worker_host": worker.host, "replies": ended})
    return ended


def _end(replies: list[int], silence: timedelta | None) -> int:
    return sum(recovery.end_for_another(key, Status.INTERRUPTED, unless_seen_within=silence) for key in replies)


def end_unanswered_cancels() -> int:
    """End what was to be cancelled and whose worker did not do so in its time."""
    return sum(recovery.end_for_another(key, Status.CANCELLED) for key in recovery.unanswered_cancels())


class Reaper:
    """Beats this worker's heart and, in the same rhythm, looks for others whose heart has stopped.

    It trusts no silence that may have been its own: only after it has itself reached the database, beat by beat, for
    a full stale period does it judge others, and by its own last heartbeat, not by the present time. So a database
    that was away, or stood still, kills nobody.

    beaten_lately: whether a batch has just done what a heartbeat does
    clock:         monotonic seconds
    """

    def __init__(
        self,
        worker_id: UUID,
        beaten_lately: Callable[[], bool],
        on_replaced: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.worker_id = worker_id
        self._beaten_lately = beaten_lately
        self._on_replaced = on_replaced
        self._clock = clock
        self._reached_since: float | None = None
        self._reached_at = 0.0
        self._swept_at: float | None = None

    async def run(self) -> None:
        while True:
            try:
                await self.round()
            except Exception as error:  # noqa: BLE001 - without housekeeping, dead workers' replies stream for ever
                self._reached_since = None
                log.warning("heartbeat failed", extra={"event": "heartbeat_failed", "error": type(error).__name__})
            await asyncio.sleep(BEAT)

    async def round(self) -> None:
        seen = await database.write(workers.seen, self.worker_id, beat=not self._beaten_lately())
        if seen is None:
            self._on_replaced()
            return
        await database.write(recover, silence=STALE if self._settled() else None, as_of=seen)
        await database.write(end_unanswered_cancels)
        await self._sweep()

    def _settled(self) -> bool:
        """The database has just been reached: has it been for long enough?"""
        now = self._clock()
        if self._reached_since is None or now - self._reached_at > GAP:
            self._reached_since = now
        self._reached_at = now
        return now - self._reached_since >= STALE.total_seconds()

    async def _sweep(self) -> None:
        now = self._clock()
        if self._swept_at is None or now - self._swept_at > SWEEP:
            more = await database.write(recovery.sweep)
            self._swept_at = None if more else now
