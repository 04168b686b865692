"""Notices workers that died and ends what they left behind."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django.db import DatabaseError

from conversations import database
from conversations.models import Status, Worker
from conversations.store import recovery, workers

BEAT = 2.0
STALE = timedelta(seconds=15)
"""A worker that the database has not heard of for so long is taken for dead."""

SWEEP = 600.0

log = logging.getLogger("conversations.recovery")


def recover(*, silence: timedelta | None) -> int:
    """End what dead workers left: those of this host at once, others after `silence` (None: not at all).

    Returns how many replies were marked `interrupted`.
    """
    ended = sum(_bury(worker, None) for worker in workers.dead_on_this_host())
    ended += _end(recovery.replies_without_worker(), None)
    if silence is not None:
        ended += sum(_bury(worker, silence) for worker in recovery.workers_dead_for(silence))
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
    a full stale period does it judge others.
    """

    def __init__(self, worker_id: UUID, beaten_lately: Callable[[], bool], on_replaced: Callable[[], None]) -> None:
        self.worker_id = worker_id
        self._beaten_lately = beaten_lately
        self._on_replaced = on_replaced
        self._reached_since: float | None = None
        self._last_round = 0.0
        self._swept_at = 0.0

    async def run(self) -> None:
        while True:
            try:
                await self.round()
            except DatabaseError as error:
                self._reached_since = None
                log.warning("heartbeat failed", extra={"event": "heartbeat_failed", "error": type(error).__name__})
            await asyncio.sleep(BEAT)

    async def round(self) -> None:
        now = asyncio.get_running_loop().time()
        if not self._beaten_lately() and not await database.write(workers.beat, self.worker_id):
            self._on_replaced()
            return
        if self._reached_since is None or now - self._last_round > STALE.total_seconds():
            self._reached_since = now  # we were away, or asleep: what looks stale may only look so to us
        self._last_round = now
        settled = now - self._reached_since >= STALE.total_seconds()
        await database.write(recover, silence=STALE if settled else None)
        await database.write(end_unanswered_cancels)
        if now - self._swept_at > SWEEP:
            self._swept_at = now
            await database.write(recovery.sweep)
