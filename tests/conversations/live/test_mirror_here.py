from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from conversations import database
from conversations.generations import engine
from conversations.live.watcher import watcher
from conversations.models import Conversation, Message, Worker
from conversations.store import mirroring
from tests.conversations.live.here import LazyClient, serving
from tests.conversations.live.watching import new_id
from tests.conversations.stored import a_turn, a_worker, converse, end, start

LONG = "🎉" * 24_000


@pytest.fixture
def long_conversation(transactional_db: None) -> Conversation:
    """As large as a snapshot can be."""
    conversation = Conversation.objects.create(public_id=new_id())
    for number in range(50):
        Message.objects.create(public_id=f"msg-{number}", conversation=conversation, role="user", content=LONG)
    return conversation


def add_message(conversation: Conversation) -> None:
    Message.objects.create(public_id="msg-new", conversation=conversation, role="user", content=LONG)
    Conversation.objects.filter(pk=conversation.pk).update(message_count=51)


@asynccontextmanager
async def opened(root: str, conversation_id: str) -> AsyncIterator[ClientConnection]:
    async with connect(f"ws://{root}/ws/conversations/{conversation_id}/", proxy=None, max_size=None) as socket:
        yield socket


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  (what it asks for tells nobody when it changes)
            await asyncio.sleep(0.01)


async def code_of(socket: ClientConnection) -> int:
    """With which the server closes."""
    with pytest.raises(ConnectionClosed) as closed:
        async with asyncio.timeout(20):
            await socket.recv()
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


def opened_views() -> int:
    return sum(view.opened for mirror in watcher._mirrors.values() for view in mirror.views)


def closing() -> list[int | None]:
    return [view.closing for mirror in watcher._mirrors.values() for view in mirror.views]


async def test_a_slow_reader_is_closed(long_conversation: Conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conversations.live.socket.SEND_WITHIN", 2.0)
    async with serving() as root:
        client = LazyClient(root, long_conversation.public_id)
        await client.connect()
        await until(lambda: opened_views() == 1)
        await database.write(add_message, long_conversation)
        await until(lambda: closing() == [1013])
        assert await client.read_to_the_end() == 1013
        client.close()


async def test_a_reader_that_never_reads_is_let_go(
    long_conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conversations.live.socket.SEND_WITHIN", 0.1)
    async with serving() as root:
        client = LazyClient(root, long_conversation.public_id)
        await client.connect()
        await until(lambda: opened_views() == 1)
        await database.write(add_message, long_conversation)
        await until(lambda: not watcher._mirrors)
        client.close()


async def test_a_slow_reader_holds_up_nobody(long_conversation: Conversation) -> None:
    async with serving() as root:
        slow = LazyClient(root, long_conversation.public_id)
        await slow.connect()
        async with opened(root, long_conversation.public_id) as quick:
            await quick.recv()
            await database.write(add_message, long_conversation)
            assert json.loads(await quick.recv())["message"]["id"] == "msg-new"
        slow.close()


@pytest.mark.parametrize("frame", ["x" * 4097, "é" * 2049, b"x" * 4097])
async def test_it_closes_on_long_frames_also_where_the_server_does_not(transactional_db: None, frame: str) -> None:
    async with serving() as root, opened(root, new_id()) as socket:
        await socket.recv()
        await socket.send(frame)
        code = await code_of(socket)
    assert code == 1009


async def test_draining_closes_what_is_open(transactional_db: None) -> None:
    async with serving() as root, opened(root, new_id()) as socket:
        await socket.recv()
        await engine.drain(0)
        code = await code_of(socket)
    assert code == 1012


async def test_a_server_that_drains_shows_nothing(transactional_db: None) -> None:
    async with serving() as root:
        await engine.drain(0)
        async with opened(root, new_id()) as socket:
            code = await code_of(socket)
    assert code == 1012


async def test_nothing_is_left_when_all_have_gone(transactional_db: None) -> None:
    async with serving() as root:
        async with opened(root, new_id()) as one, opened(root, new_id()) as other:
            await one.recv()
            await other.recv()
        await until(lambda: not watcher._mirrors)
        await until(lambda: watcher._running is None or watcher._running.done())


def queries(watched: list[int]) -> int:
    with CaptureQueriesContext(connection) as captured:
        mirroring.found([(None, "session-none"), (1, "session-none")])
        mirroring.marks(watched)
    return len(captured)


@pytest.mark.django_db
def test_a_look_costs_the_same_however_many_are_watched() -> None:
    a_worker()
    begun = [converse(("Hello", "Hi"), conversation_id=f"session-{number}")[0] for number in range(10)]
    keys = [each.conversation_pk for each in begun]
    assert queries(keys) == queries(keys[:1]) == 2


def mark(key: int) -> mirroring.Mark:
    return mirroring.marks([key])[key]


@pytest.mark.django_db
def test_a_beginning_and_an_end_each_leave_their_mark() -> None:
    a_worker()
    (first,) = converse(("Hello", "Hi"))
    key = first.conversation_pk
    marks = [mark(key)]
    begun = start(a_turn("More"))
    marks.append(mark(key))
    end(begun, "text")
    marks.append(mark(key))
    assert len(set(marks)) == 3


@pytest.mark.django_db
def test_a_reply_that_began_and_ended_out_of_sight_leaves_its_mark() -> None:
    a_worker()
    (first,) = converse(("Hello", "Hi"))
    before = mark(first.conversation_pk)
    converse(("More", ""))
    assert mark(first.conversation_pk) != before


@pytest.mark.django_db
def test_another_branch_leaves_its_mark() -> None:
    a_worker()
    (first,) = converse(("Hello", "Hi"))
    before = mark(first.conversation_pk)
    Message.objects.filter(pk=first.message_pk).update(active=False)
    assert mark(first.conversation_pk) != before


async def test_who_leaves_after_the_end_does_not_begin_anew(transactional_db: None) -> None:
    async with serving():
        mirror, view = watcher.join((None, new_id()))
        await until(lambda: not engine.stopped)
    watcher.leave(mirror, view)
    await asyncio.gather(*watcher._errands)
    assert await database.read(Worker.objects.count) == 0
