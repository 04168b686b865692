"""Several processes at once, which for the database are threads with connections of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from django.db import connection

from conversations.models import Conversation, DailyUsage, Generation, IdempotencyKey, Message, Status
from conversations.refusals import Busy, KeyReused
from conversations.store.batch import Batch, write_batch
from conversations.store.begin import Begun
from conversations.store.endings import Finished
from conversations.store.recovery import end_for_another, forget
from conversations.store.usage import UsageKey
from tests.conversations.stored import (
    OTHER_WORKER,
    WORKER,
    a_claim,
    a_turn,
    a_worker,
    converse,
    shown,
    start,
    states,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def at_once() -> Iterator[Callable[..., list[Any]]]:
    """Runs functions at the same time, each in a thread; returns their results, or the exceptions they raised."""
    pool = ThreadPoolExecutor(16)

    def run(*works: Callable[[], Any]) -> list[Any]:
        ready = threading.Barrier(len(works))

        def one(work: Callable[[], Any]) -> Any:
            try:
                ready.wait(timeout=10)
                return work()
            except Exception as error:  # noqa: BLE001 - it is the result
                return error
            finally:
                connection.close()

        return [future.result(timeout=60) for future in [pool.submit(one, work) for work in works]]

    yield run
    pool.shutdown()


def finished(begun: Begun, text: str = "A") -> Finished:
    return Finished(begun.message_pk, begun.conversation_pk, "complete", text)


def test_two_first_turns_are_one_conversation(at_once: Callable[..., list[Any]]) -> None:
    at_once(lambda: start(a_turn("a")), lambda: start(a_turn("b")))
    assert (Conversation.objects.count(), sorted(shown())) == (1, ["> ", "> ", "a", "b"])


def test_turns_at_once_lose_nothing(at_once: Callable[..., list[Any]]) -> None:
    converse(("first", "answer"))
    replies = at_once(*(lambda text=text: start(a_turn(text)) for text in "abcdefgh"))
    assert sorted(text for text in shown() if len(text) == 1) == list("abcdefgh")
    assert sorted(states(replies)) == ["running"] + ["waiting"] * 7


def test_turns_at_once_stand_one_below_the_other(at_once: Callable[..., list[Any]]) -> None:
    at_once(*(lambda text=text: start(a_turn(text)) for text in "abcdefgh"))
    rows = list(Message.objects.history().values_list("pk", "parent_id"))
    assert [parent for _, parent in rows] == [None, *(key for key, _ in rows[:-1])]


def test_turns_at_once_count_right(at_once: Callable[..., list[Any]]) -> None:
    at_once(*(lambda text=text: start(a_turn(text)) for text in "abcdefgh"))
    assert Conversation.objects.get().message_count == 16


def test_the_first_to_come_runs(at_once: Callable[..., list[Any]]) -> None:
    at_once(*(lambda text=text: start(a_turn(text)) for text in "abcd"))
    running = Generation.objects.get(state="running")
    assert running.pk == Generation.objects.order_by("pk").first().pk  # type: ignore[union-attr]


def test_one_of_those_that_reject_wins(at_once: Callable[..., list[Any]]) -> None:
    results = at_once(*(lambda text=text: start(a_turn(text, on_busy="reject")) for text in "abcd"))
    assert sorted(type(result) is Busy for result in results) == [False, True, True, True]


def test_the_same_key_at_once_is_one_turn(at_once: Callable[..., list[Any]]) -> None:
    turn = a_turn("a", claim=a_claim())
    results = at_once(*[lambda: start(turn)] * 6)
    assert len({result.message_id for result in results}) == 1
    assert (Message.objects.count(), IdempotencyKey.objects.count()) == (2, 1)


def test_the_same_key_at_once_makes_one_conversation(at_once: Callable[..., list[Any]]) -> None:
    turn = a_turn("a", conversation_id=None, claim=a_claim())
    results = at_once(*[lambda: start(turn)] * 6)
    assert len({result.conversation_id for result in results}) == 1
    assert Conversation.objects.count() == 1


def test_the_same_key_for_two_requests_at_once_is_refused_to_one(at_once: Callable[..., list[Any]]) -> None:
    results = at_once(
        lambda: start(a_turn("a", conversation_id="session-1", claim=a_claim(body="a"))),
        lambda: start(a_turn("b", conversation_id="session-2", claim=a_claim(body="b"))),
    )
    assert sorted(type(result) is KeyReused for result in results) == [False, True]
    assert Message.objects.count() == 2


def test_an_end_is_written_by_one_of_two(at_once: Callable[..., list[Any]]) -> None:
    a_worker()
    begun = start(a_turn("a"))
    batch, other = at_once(
        lambda: write_batch(WORKER, Batch(ends=[finished(begun)])),
        lambda: end_for_another(begun.message_pk, Status.INTERRUPTED),
    )
    assert (begun.message_pk in batch.mine) is not other
    assert Message.objects.get(pk=begun.message_pk).status == ("interrupted" if other else "complete")


def test_a_turn_that_arrives_with_an_end_gets_its_go(at_once: Callable[..., list[Any]]) -> None:
    a_worker()
    for number in range(10):
        name = f"session-{number}"
        first = start(a_turn("a", conversation_id=name))
        _, second = at_once(
            lambda first=first: write_batch(WORKER, Batch(ends=[finished(first)])),
            lambda name=name: start(a_turn("b", conversation_id=name)),
        )
        assert states([second]) == ["running"]


def test_ends_of_several_conversations_in_any_order_wait_for_nobody(at_once: Callable[..., list[Any]]) -> None:
    a_worker()
    a_worker(OTHER_WORKER)
    for _ in range(10):
        first = [start(a_turn("a", conversation_id=f"session-{number}")) for number in range(6)]
        second = [start(a_turn("b", conversation_id=f"session-{number}"), OTHER_WORKER) for number in range(6)]
        stands = at_once(
            lambda first=first: write_batch(WORKER, Batch(ends=[finished(begun) for begun in first])),
            lambda second=second: write_batch(
                OTHER_WORKER, Batch(ends=[finished(begun, "") for begun in reversed(second)])
            ),
        )
        assert [len(each.mine) for each in stands] == [6, 6]


def test_usage_of_several_processes_adds_up(at_once: Callable[..., list[Any]]) -> None:
    a_worker()
    a_worker(OTHER_WORKER)
    keys = [UsageKey(date(2026, 1, 5), 0, "gpt", f"model-{number}") for number in range(5)]

    def use(worker: Any, order: list[UsageKey]) -> None:
        for _ in range(10):
            write_batch(worker, Batch(usage={key: {"requests": 1, "output_tokens": 7} for key in order}))

    results = at_once(lambda: use(WORKER, keys), lambda: use(OTHER_WORKER, keys[::-1]))
    assert results == [None, None]
    assert set(DailyUsage.objects.values_list("requests", "output_tokens")) == {(20, 140)}


def test_whoever_is_taken_for_dead_while_it_writes_loses_nothing_twice(at_once: Callable[..., list[Any]]) -> None:
    for number in range(10):
        a_worker()
        begun = start(a_turn("a", conversation_id=f"session-{number}"))
        at_once(
            lambda begun=begun: write_batch(WORKER, Batch(ends=[finished(begun)])),
            lambda begun=begun: take_for_dead(begun),
        )
        message = Message.objects.get(pk=begun.message_pk)
        assert (message.status, message.content) in {("complete", "A"), ("interrupted", "")}
        assert not Generation.objects.filter(pk=begun.message_pk).exists()


def take_for_dead(begun: Begun) -> None:
    end_for_another(begun.message_pk, Status.INTERRUPTED)
    forget(WORKER)
