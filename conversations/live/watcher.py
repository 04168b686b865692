"""Notices what happens to watched conversations: one look at the database for all of them.

What this process writes is noticed at once, what others write by word from them. Where there is no word, looks at
short intervals do; where there is, looks at long ones make sure.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Coroutine
from contextlib import suppress
from typing import Any

from django.db import DatabaseError

from conversations import database
from conversations.generations import engine
from conversations.generations.news import group_of
from conversations.live.mirror import Mirror
from conversations.live.views import View
from conversations.models import Status
from conversations.store import mirroring
from conversations.store.mirroring import Mark, Name

INTERVAL = 0.2
SAFETY_INTERVAL = 2.0

RESTARTING = 1012
DELETED = 4404

log = logging.getLogger("conversations.live")


class Watcher:
    """One per process. It works while anything is watched, and costs nothing else."""

    def __init__(self) -> None:
        self._mirrors: dict[Name, Mirror] = {}
        self._by_key: dict[int, Mirror] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._all_are_due = False
        self._looked_at = 0.0
        self._running: asyncio.Task[None] | None = None
        self._errands: set[asyncio.Task[Any]] = set()
        self._order = asyncio.Lock()

    def join(self, name: Name) -> tuple[Mirror, View]:
        """Show a conversation, which need not exist yet; `leave` afterwards."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._mirrors, self._by_key, self._running = loop, {}, {}, None
            self._wake, self._errands, self._order = asyncio.Event(), set(), asyncio.Lock()
        mirror = self._mirrors.get(name)
        if mirror is None:
            mirror = self._mirrors[name] = Mirror(name, self._wake.set)
            self._run(self._hear_of(mirror))
        view = View()
        mirror.views.add(view)
        mirror.expire()
        if self._running is None or self._running.done():
            self._running = loop.create_task(self._work())
        return mirror, view

    def leave(self, mirror: Mirror, view: View) -> None:
        mirror.views.discard(view)
        if not mirror.views and self._mirrors.get(mirror.name) is mirror:
            self._drop(mirror)

    def notice(self, conversation_pk: int | None) -> None:
        """A conversation has changed; None: any may have, or the process is about to stop."""
        if not self._mirrors or self._loop is not asyncio.get_running_loop():
            return
        if conversation_pk is None:
            self._all_are_due = True
            for mirror in self._mirrors.values() if engine.draining else ():
                _close(mirror, RESTARTING)
        elif (known := self._by_key.get(conversation_pk)) is not None:
            known.is_stale = True
        else:
            for mirror in self._mirrors.values():
                mirror.is_stale = mirror.is_stale or mirror.key is None
        self._wake.set()

    # -- its work ---------------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        while self._mirrors:
            try:
                await engine.start()
                await self._look()
            except DatabaseError as error:
                log.warning("mirrors wait", extra={"event": "mirrors_wait", "error": type(error).__name__})
                await asyncio.sleep(INTERVAL)
            except Exception:
                # The boundary of all sockets: what breaks for one conversation must not end the others.
                log.exception("mirrors broke", extra={"event": "mirrors_broke"})
                await asyncio.sleep(SAFETY_INTERVAL)
            await self._pause()

    async def _pause(self) -> None:
        """Until something is told, or it is time to look at all."""
        interval = SAFETY_INTERVAL if engine.exchange.news.reaches_others else INTERVAL
        due_at = self._looked_at + interval
        with suppress(TimeoutError):
            async with asyncio.timeout_at(due_at):
                await self._wake.wait()
        if asyncio.get_running_loop().time() >= due_at:
            self._all_are_due = True

    async def _look(self) -> None:
        self._wake.clear()
        await self._find_changes()
        stale = [mirror for mirror in self._mirrors.values() if mirror.is_stale and mirror.key is not None]
        results = await asyncio.gather(*(self._read(mirror) for mirror in stale), return_exceptions=True)
        for error in results:
            if isinstance(error, BaseException):
                raise error

    async def _find_changes(self) -> None:
        """See which exist, and where all are due, which have changed, in a constant number of queries."""
        due = self._all_are_due
        names = [name for name, mirror in self._mirrors.items() if mirror.key is None and (due or mirror.is_stale)]
        keys = list(self._by_key) if due else []
        if names or keys:
            found, marks = await database.read(_standing, names, keys)
            self._sort_names(names, found)
            self._sort_keys(keys, marks)
        if due:
            self._all_are_due, self._looked_at = False, asyncio.get_running_loop().time()

    def _sort_names(self, names: Collection[Name], found: dict[Name, int]) -> None:
        for name in names:
            mirror = self._mirrors.get(name)
            if mirror is None or mirror.key is not None:
                continue
            mirror.key = found.get(name)
            if mirror.key is None:
                mirror.is_stale = False
                mirror.absent()
            else:
                mirror.is_stale = True
                self._by_key[mirror.key] = mirror

    def _sort_keys(self, keys: Collection[int], marks: dict[int, Mark]) -> None:
        for key in keys:
            mirror = self._by_key.get(key)
            if mirror is not None and key not in marks:
                self._delete(mirror)
            elif mirror is not None and marks[key] != mirror.mark:
                mirror.is_stale = True

    async def _read(self, mirror: Mirror) -> None:
        """Read what has changed of one conversation. Should that fail, it is tried again."""
        assert mirror.key is not None
        mirror.is_stale = False
        try:
            seen = await database.read(mirroring.seen, mirror.key, mirror.known, everything=mirror.wants_everything)
            for message in seen.page.messages if seen is not None else ():
                if message.status == Status.STREAMING and message.active:
                    await mirror.sources.follow(message)
            mirror.sources.come_home()
        except BaseException:
            mirror.is_stale = True
            raise
        if self._mirrors.get(mirror.name) is not mirror:
            mirror.sources.keep(())
        elif seen is None:
            self._delete(mirror)
        else:
            mirror.take(seen)

    def _delete(self, mirror: Mirror) -> None:
        _close(mirror, DELETED)
        self._drop(mirror)

    def _drop(self, mirror: Mirror) -> None:
        del self._mirrors[mirror.name]
        if mirror.key is not None:
            self._by_key.pop(mirror.key, None)
        mirror.sources.keep(())
        self._wake.set()
        self._run(self._hear_no_more(mirror))

    # -- word from other workers ------------------------------------------------------------------------------------

    async def _hear_of(self, mirror: Mirror) -> None:
        """Ask for word, and look once more: what happened before it comes has been missed."""
        with suppress(DatabaseError):  # then looks at intervals do
            await engine.start()
            async with self._order:
                await engine.exchange.news.join(group_of(*mirror.name))
            if engine.exchange.news.reaches_others:
                mirror.expire()

    async def _hear_no_more(self, mirror: Mirror) -> None:
        if engine.stopped:
            return
        with suppress(DatabaseError):
            await engine.start()
            async with self._order:
                if mirror.name not in self._mirrors:
                    await engine.exchange.news.leave(group_of(*mirror.name))

    def _run(self, errand: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)


def _standing(names: Collection[Name], keys: Collection[int]) -> tuple[dict[Name, int], dict[int, Mark]]:
    return mirroring.found(names) if names else {}, mirroring.marks(keys) if keys else {}


def _close(mirror: Mirror, code: int) -> None:
    for view in mirror.views:
        view.close(code)


watcher = Watcher()
engine.listeners.append(watcher.notice)
