"""The generations of one process: begun, found, cancelled and, at the end, given time to finish."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from uuid import UUID, uuid4

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError

from conversations import database
from conversations.generations.accounting import usage_of
from conversations.generations.buffer import Buffer, Ending
from conversations.generations.exchange import SAFETY_INTERVAL, Errands, Exchange
from conversations.generations.followers import DELETED, ending_of, finished_buffer
from conversations.generations.generation import SHUTTING_DOWN, Generation
from conversations.generations.journal import INTERVAL, Journal
from conversations.generations.reaper import Reaper
from conversations.generations.strays import end_strays
from conversations.models import Message, Status
from conversations.refusals import Unavailable
from conversations.store import begin as beginnings
from conversations.store import cancelling, reading, recovery, workers
from conversations.store.batch import Standing
from conversations.store.begin import Begun
from conversations.store.endings import Finished
from conversations.turns import Turn
from providers.base import Provider
from providers.messages import CompletionRequest

log = logging.getLogger("conversations.generations")


def _nothing() -> None:
    """Where nobody wants to know."""


class Engine:
    """One per process. `start` it before use (the first reply does), `drain` and `stop` it at the end."""

    def __init__(self) -> None:
        self.draining = False
        self.live: dict[int, Generation] = {}
        self.active: set[Generation] = set()
        self.listeners: list[Callable[[int | None], None]] = []
        """Called with the key of a conversation that may show something else; None: any may, or we are draining."""
        self.on_ended: list[Callable[[Generation], None]] = []
        """Called with every reply that has ended, stored or not."""
        self._tasks: list[asyncio.Task[None]] = []
        self._errands = Errands()
        self._look = asyncio.Event()
        self._registering: asyncio.Task[None] | None = None
        self._starting: asyncio.Task[None] | None = None
        self._doubting: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    # -- its life ---------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Register this process and begin the housekeeping. Safe to call again; raises `DatabaseError`."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._starting, self.draining = loop, None, False
            self.live, self.active, self._registering, self._doubting = {}, set(), None, None
        if self._starting is None or (self._starting.done() and self._starting.exception()):
            self._starting = loop.create_task(self._start())
        await asyncio.shield(self._starting)

    async def _start(self) -> None:
        worker_id = uuid4()
        await database.write(workers.register, worker_id, workers.this_process())
        self.worker_id = worker_id
        self.journal = Journal(worker_id, self._on_standing)
        self._look = asyncio.Event()
        self.exchange = Exchange(worker_id, self.live, self._errands, self._look.set, self._notify)
        self.reaper = Reaper(worker_id, lambda: self.journal.written_within_interval, self._on_replaced)
        work = (self.journal.run(), *self.exchange.work(), self.reaper.run(), self._watch())
        self._tasks = [asyncio.get_running_loop().create_task(each) for each in work]

    async def drain(self, grace: float) -> None:
        """Begin nothing new, give what runs `grace` seconds, then end it with the text it has."""
        self.draining = True
        self._notify(None)
        log.info("draining", extra={"event": "draining", "generations": len(self.active), "grace": grace})
        await self._settled(grace)
        for generation in list(self.active):
            generation.stop(SHUTTING_DOWN)
        await self._settled(grace)

    async def _settled(self, seconds: float) -> None:
        if self.active:
            await asyncio.wait([generation.task for generation in self.active], timeout=seconds)

    async def stop(self) -> None:
        """Write what is left and say goodbye to the database."""
        if self._starting is None or not self._tasks:
            return
        tasks, self._tasks, self._starting, self._loop = self._tasks, [], None, None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(DatabaseError):
            if await self.journal.flush():
                await database.write(workers.remove, self.worker_id)

    @property
    def stopped(self) -> bool:
        """Whether nobody has started it since it was made or stopped."""
        return self._starting is None

    # -- replies ----------------------------------------------------------------------------------------------------

    async def begin(
        self,
        turn: Turn,
        request: CompletionRequest,
        answering: Callable[[str], Provider],
        over: Callable[[], None] = _nothing,
    ) -> Generation:
        """Start a stored reply; return once it stands in the database. What follows is the generation's own.

        answering: the provider's name ("": any may answer) -> who answers
        over:      called when the reply has ended, or was not begun
        Raises `TurnRefused` and `DatabaseError`. A caller that is cancelled meanwhile changes nothing.
        """
        await self._admit(over)
        generation = Generation(
            answering=lambda begun: answering(begun.provider if begun else ""),
            request=request,
            on_disconnect=turn.on_disconnect,
            owner_id=turn.owner_id,
            on_end=self._ending(over),
            ledger=self,
            begin=lambda: self._write(turn, generation),
            context_of=lambda key: database.read(reading.context_of, key),
        )
        self.active.add(generation)
        generation.viewer_came()
        try:
            await asyncio.shield(generation.begun)
        except asyncio.CancelledError:
            generation.viewer_left()
            raise
        return generation

    async def _admit(self, over: Callable[[], None]) -> None:
        try:
            self.refuse_overload()
            await self.start()
            self.refuse_overload()  # many may have waited for the start
        except BaseException:
            over()
            raise

    async def _write(self, turn: Turn, generation: Generation) -> Begun:
        """The turn's beginning in the database. Raises `TurnRefused` and `DatabaseError`."""
        if self._registering is not None:
            await self._registering  # what was begun under the identity of the dead would be ended with it
        try:
            begun = await database.write(beginnings.begin, turn, self.worker_id, settings.DEFAULT_PROVIDER)
        except (OperationalError, InterfaceError):
            self._doubt()
            raise
        self._on_begun(generation, begun)
        return begun

    def _doubt(self) -> None:
        """A turn may stand in the database though we were told that it does not."""
        if self._doubting is None or self._doubting.done():
            self._doubting = self._errands.run(end_strays(lambda: self.worker_id, self.live))

    def begin_unstored(
        self,
        request: CompletionRequest,
        source: Provider,
        owner_id: int | None,
        over: Callable[[], None] = _nothing,
    ) -> Generation:
        """Start a reply that nobody can read later: it ends with its client. over: as in `begin`.

        Raises `Unavailable`.
        """
        try:
            self.refuse_overload()
        except Unavailable:
            over()
            raise
        if self.stopped:
            self._errands.run(self.start())  # for the sums of usage; the answer itself needs no database
        generation = Generation(
            answering=lambda _: source,
            request=request,
            on_disconnect="cancel",
            owner_id=owner_id,
            on_end=self._ending(over),
        )
        self.active.add(generation)
        generation.viewer_came()
        return generation

    def refuse_overload(self) -> None:
        """Raise `Unavailable` where nothing new is begun now."""
        if self.draining:
            raise Unavailable("The server is shutting down. Please try again in a moment.")
        if len(self.active) >= settings.MAX_ACTIVE_GENERATIONS:
            raise Unavailable("The server is busy: too many replies are under way. Please try again in a moment.")

    async def buffer_of(self, message: Message) -> tuple[Buffer, Callable[[], None]]:
        """A reply's text wherever it is, and what to call when it is read no more. Raises `DatabaseError`."""
        if (generation := self.live.get(message.pk)) is not None:
            generation.viewer_came()
            return generation.buffer, generation.viewer_left
        if message.status != Status.STREAMING:
            return finished_buffer(message), lambda: None
        await self.start()
        buffer = await self.exchange.followers.follow(message)
        return buffer, lambda: self.exchange.followers.leave(message.pk)

    async def cancel(self, message: Message) -> None:
        """End a reply wherever it lives; return once its end is stored. Raises `DatabaseError`."""
        if (generation := self.live.get(message.pk)) is not None:
            generation.cancel()
            await asyncio.wait([generation.task])
            if generation.buffer.ending and generation.buffer.ending.stored:
                return
        await self.start()
        buffer, leave = await self.buffer_of(message)
        try:
            await self.exchange.ask_to_stop([message.pk])
            async with asyncio.timeout(recovery.CANCEL_PATIENCE.total_seconds()):
                await buffer.ended()
        except TimeoutError:
            await database.write(recovery.end_for_another, message.pk, Status.CANCELLED)
            self.exchange.followers.look_soon()
        finally:
            leave()

    # -- what others may know of it -----------------------------------------------------------------------------------

    def under_way(self) -> tuple[int, int]:
        """How many replies are produced here, and how many wait for another reply of their conversation."""
        waiting = sum(generation.waits for generation in self.live.values())
        return len(self.active) - waiting, waiting

    def journal_state(self) -> tuple[float, int]:
        """Seconds for which the oldest text has waited to be stored, and how many batches were written."""
        return (self.journal.lag, self.journal.batches) if self._tasks else (0.0, 0)

    def news_are_missing(self) -> bool:
        """Whether word from other workers should come without looking, and does not."""
        return bool(settings.REDIS_URL) and bool(self._tasks) and not self.exchange.news.reaches_others

    async def lose(self, replies: Mapping[int, UUID]) -> None:
        """Replies whose rows are gone (key -> worker): end them here, and tell their other workers to look."""
        for key in replies:
            if (generation := self.live.get(key)) is not None:
                generation.lose()
        if not self._tasks:
            return
        self.exchange.gone(replies)

    # -- what a stored generation asks for (its ledger) -------------------------------------------------------------

    def note(self, generation: Generation) -> None:
        self.journal.note(generation)

    async def end(self, generation: Generation, finished: Finished) -> bool:
        mine = await self.journal.end(generation, finished)
        self.exchange.ended(finished.conversation_pk)
        return mine

    async def found(self, message_pk: int) -> Ending:
        message = await database.read(reading.message_by_key, message_pk)
        if message is None:
            return DELETED
        if message.status == Status.STREAMING:
            return Ending(Status.INTERRUPTED, recovery.INTERRUPTED, 503)
        return ending_of(message)

    # -- what it is told --------------------------------------------------------------------------------------------

    def _on_begun(self, generation: Generation, begun: Begun) -> None:
        if not begun.fresh:
            return
        self.live[begun.message_pk] = generation
        self.changed(begun.conversation_pk, generation.owner_id, begun.conversation_id)
        if begun.to_cancel:
            self._errands.run(self.exchange.ask_to_stop(begun.to_cancel))

    def _ending(self, over: Callable[[], None]) -> Callable[[Generation], None]:
        def ended(generation: Generation) -> None:
            over()
            self._on_end(generation)

        return ended

    def _on_end(self, generation: Generation) -> None:
        self.active.discard(generation)
        if (begun := generation.stored) is not None and self.live.get(begun.message_pk) is generation:
            del self.live[begun.message_pk]
            self.exchange.news.forget(begun.message_pk)
            self.changed(begun.conversation_pk, generation.owner_id, begun.conversation_id)
        if self._tasks and (usage := usage_of(generation)) is not None:
            self.journal.count(*usage)
        for listener in self.on_ended:
            listener(generation)

    def _on_standing(self, stands: Standing, written: Iterable[int]) -> None:
        """The database's word on our replies: some have their go, some are to end, some are ours no more."""
        if stands.replaced:
            self._on_replaced()
            return
        for key, generation in list(self.live.items()):
            state = stands.mine.get(key)
            if state is None:
                self._errands.run(self._lose_if_gone(key, generation))
                continue
            has_go, cancel = state
            if has_go:
                generation.go.set()
            if cancel:
                generation.cancel()
        self.exchange.written(set(written))

    async def _lose_if_gone(self, key: int, generation: Generation) -> None:
        """The look may be older than the reply's beginning, or than its end: ask again before giving it up."""
        if self.live.get(key) is generation and not await database.read(cancelling.is_under_way, key):
            generation.lose()

    def _on_replaced(self) -> None:
        """We were taken for dead. What we had is somebody else's; from now on we serve under another identity."""
        log.error("replaced", extra={"event": "worker_replaced", "generations": len(self.live)})
        for generation in list(self.live.values()):
            generation.lose()
        if self._registering is None or self._registering.done():
            self._registering = self._errands.run(self._register_again())

    async def _register_again(self) -> None:
        worker_id = uuid4()
        await database.write(workers.register, worker_id, workers.this_process())
        self.worker_id = self.journal.worker_id = self.exchange.news.worker_id = self.reaper.worker_id = worker_id

    def changed(self, conversation_pk: int, owner_id: int | None, conversation_id: str) -> None:
        """A conversation shows something else now: tell whoever watches it, here and in other workers."""
        self._notify(conversation_pk)
        if self._tasks:
            self.exchange.changed(conversation_pk, owner_id, conversation_id)

    def _notify(self, conversation_pk: int | None) -> None:
        for listener in self.listeners:
            listener(conversation_pk)

    async def _watch(self) -> None:
        """Look for goes and stops while nothing is written, in one look for all replies of the process."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(SAFETY_INTERVAL if self.exchange.news.reaches_others else INTERVAL):
                    await self._look.wait()
            told = self._look.is_set()
            self._look.clear()
            if self.live and (told or not self.journal.written_within_interval):
                with suppress(DatabaseError):
                    await self.journal.look()


engine = Engine()
