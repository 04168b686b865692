"""What this process and the others tell each other of their replies: who follows, who is to stop, what has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.db import DatabaseError

from conversations import database
from conversations.generations.followers import INTERVAL, Followers
from conversations.generations.generation import Generation
from conversations.generations.news import News, group_of
from conversations.store import cancelling

SAFETY_INTERVAL = 2.0
"""Seconds between two looks at the database where word of news comes without looking."""


class Errands:
    """Work that is done beside everything else; a database that is away then is no reason to end anything."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, errand: Coroutine[Any, Any, object]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(_quietly(errand))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


class Exchange:
    """Word that comes and goes, and the replies of others that are followed here.

    live:      replies that are produced here, by their keys
    on_look:   called when our replies should be looked at in the database
    on_change: called with the key of a conversation that may show something else; None: any may
    """

    def __init__(
        self,
        worker_id: UUID,
        live: Mapping[int, Generation],
        errands: Errands,
        on_look: Callable[[], None],
        on_change: Callable[[int | None], None],
    ) -> None:
        self.news = News(worker_id, self._on_word, self._on_reach)
        self.followers = Followers(lambda producer, keys: self.news.tell(producer, "follow", keys))
        self._live = live
        self._run = errands.run
        self._on_look = on_look
        self._on_change = on_change

    def work(self) -> tuple[Coroutine[Any, Any, None], ...]:
        """What has to run all the time."""
        return self.news.run(), self.followers.run(), self.followers.announce()

    # -- word that goes ---------------------------------------------------------------------------------------------

    def written(self, keys: Collection[int]) -> None:
        """There is more of these replies, or their end: whoever follows them may look."""
        for worker in self.news.followers_of(set(keys)):
            self._run(self.news.tell(worker, "look"))

    def changed(self, conversation_pk: int, owner_id: int | None, conversation_id: str) -> None:
        """A conversation shows something else now: tell those who watch it elsewhere."""
        if self.news.reaches_others:
            self._run(self.news.tell_group(group_of(owner_id, conversation_id), "changed", [conversation_pk]))

    def ended(self, conversation_pk: int) -> None:
        """A reply's end is stored; another of its conversation, perhaps elsewhere, may have waited for it."""
        if self.news.reaches_others:
            self._run(self._tell_waiting(conversation_pk))

    def gone(self, replies: Mapping[int, UUID]) -> None:
        """Replies whose rows are gone (key -> worker)."""
        for worker in set(replies.values()):
            self._run(self.news.tell(worker, "look"))
        self.followers.look_soon()

    async def ask_to_stop(self, message_pks: Collection[int]) -> None:
        """Raises `DatabaseError`."""
        for key, worker in (await database.write(cancelling.request_cancel, message_pks)).items():
            if (generation := self._live.get(key)) is not None:
                generation.cancel()
            else:
                await self.news.tell(worker, "stop", [key])

    async def _tell_waiting(self, conversation_pk: int) -> None:
        for worker in await database.read(cancelling.workers_of, [conversation_pk]):
            await self.news.tell(worker, "look")

    # -- word that comes --------------------------------------------------------------------------------------------

    def _on_word(self, word: dict[str, Any]) -> None:
        keys, sender = [int(key) for key in word["keys"]], UUID(word["from"])
        match word["kind"]:
            case "follow":
                new = [self.news.followed_by(key, sender) for key in keys if key in self._live]
                if any(new) or len(new) < len(keys):  # what was written, or has ended, before we knew of the follower
                    self._run(self.news.tell(sender, "look"))
            case "look":
                self.followers.look_soon()
                self._on_look()
            case "stop":
                for key in keys:
                    if key in self._live:
                        self._live[key].cancel()
            case "changed":
                for key in keys:
                    self._on_change(key)

    def _on_reach(self, reaches_others: bool) -> None:
        """Word comes, or comes no more: look at the database less often or more often, from this moment on."""
        self.followers.interval = SAFETY_INTERVAL if reaches_others else INTERVAL
        self.followers.announce_soon(again=True)
        self.followers.look_soon()
        self._on_look()
        self._on_change(None)


async def _quietly(errand: Coroutine[Any, Any, object]) -> None:
    with suppress(DatabaseError):
        await errand
