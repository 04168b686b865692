from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conversations.models import Conversation, DailyUsage, Generation, JournalEntry, Message, Worker
from conversations.store.batch import Append, Batch, standing, write_batch
from conversations.store.begin import Begun
from conversations.store.cancelling import is_under_way, request_cancel, workers_of
from conversations.store.endings import Finished
from conversations.store.usage import UsageKey
from tests.conversations.stored import OTHER_WORKER, WORKER, a_turn, a_worker, everything, shown, start, state_of

pytestmark = pytest.mark.django_db


def append(begun: Begun, text: str = "text", position: int = 0, **fields: object) -> Append:
    return Append(begun.message_pk, position, text, **fields)  # type: ignore[arg-type]


def finished(begun: Begun, text: str = "A", **fields: object) -> Finished:
    return Finished(begun.message_pk, begun.conversation_pk, "complete", text, **fields)  # type: ignore[arg-type]


def running(number: int, worker: UUID = WORKER) -> list[Begun]:
    return [start(a_turn("a", conversation_id=f"session-{worker.int}-{each}"), worker) for each in range(number)]


def test_it_journals_the_text_of_all_replies() -> None:
    a_worker()
    one, two = running(2)
    write_batch(WORKER, Batch([append(one, "A"), append(two, "B", 7)]))
    rows = JournalEntry.objects.order_by("pk").values_list("message_id", "position", "text")
    assert list(rows) == [(one.message_pk, 0, "A"), (two.message_pk, 7, "B")]


def test_it_notes_the_serving_model_as_soon_as_it_is_known() -> None:
    a_worker()
    (begun,) = running(1)
    write_batch(WORKER, Batch([append(begun, provider="gpt", model="gpt-4o", time_to_first_token_ms=9)]))
    message = Message.objects.get(pk=begun.message_pk)
    assert (message.provider, message.model, message.time_to_first_token_ms) == ("gpt", "gpt-4o", 9)


def test_the_message_itself_stays_empty_while_it_streams() -> None:
    a_worker()
    (begun,) = running(1)
    write_batch(WORKER, Batch([append(begun)]))
    assert Message.objects.get(pk=begun.message_pk).content == ""


def test_it_beats_the_workers_heart() -> None:
    a_worker()
    before = Worker.objects.get().heartbeat_at
    Worker.objects.update(heartbeat_at=before.replace(year=2020))
    write_batch(WORKER, Batch())
    assert Worker.objects.get().heartbeat_at >= before


def test_a_worker_that_is_not_known_any_more_is_replaced() -> None:
    assert write_batch(WORKER, Batch()).replaced


def test_a_replaced_worker_writes_neither_text_nor_end() -> None:
    one, two = running(2)
    before = everything()
    write_batch(WORKER, Batch([append(one)], [finished(two)]))
    assert everything() == before


def test_what_a_replaced_worker_used_is_counted() -> None:
    write_batch(WORKER, Batch(usage={UsageKey(date(2026, 1, 5), 0, "gpt", "gpt-4o"): {"requests": 1}}))
    assert DailyUsage.objects.get().requests == 1


def test_a_deleted_message_drops_its_text_and_not_the_batch() -> None:
    a_worker()
    one, two = running(2)
    Conversation.objects.filter(pk=one.conversation_pk).delete()
    write_batch(WORKER, Batch([append(one, "A"), append(two, "B")]))
    assert list(JournalEntry.objects.values_list("text", flat=True)) == ["B"]


def test_a_deleted_message_drops_its_end_and_not_the_batch() -> None:
    a_worker()
    one, two = running(2)
    Conversation.objects.filter(pk=one.conversation_pk).delete()
    stands = write_batch(WORKER, Batch(ends=[finished(one), finished(two)]))
    assert (set(stands.mine), shown(two.conversation_id)) == ({two.message_pk}, ["a", "> A"])


def test_it_ends_only_what_is_still_its_own() -> None:
    a_worker()
    (begun,) = running(1)
    Generation.objects.update(worker_id=OTHER_WORKER)
    stands = write_batch(WORKER, Batch([append(begun)], [finished(begun)]))
    assert (stands.mine, is_under_way(begun.message_pk), JournalEntry.objects.count()) == ({}, True, 0)


def test_text_and_end_in_one_batch_leave_no_journal() -> None:
    a_worker()
    (begun,) = running(1)
    write_batch(WORKER, Batch([append(begun, "A")], [finished(begun, "A")]))
    assert (JournalEntry.objects.count(), shown(begun.conversation_id)) == (0, ["a", "> A"])


def test_it_tells_that_what_it_ended_was_its_own() -> None:
    a_worker()
    (begun,) = running(1)
    assert begun.message_pk in write_batch(WORKER, Batch(ends=[finished(begun)])).mine


def test_it_tells_who_has_the_go() -> None:
    a_worker()
    first, second = start(a_turn("a")), start(a_turn("b"))
    mine = write_batch(WORKER, Batch()).mine
    assert mine == {first.message_pk: (True, False), second.message_pk: (False, False)}


def test_it_tells_what_is_to_be_cancelled() -> None:
    a_worker()
    (begun,) = running(1)
    request_cancel([begun.message_pk])
    assert write_batch(WORKER, Batch()).mine == {begun.message_pk: (True, True)}


def test_it_tells_of_its_own_replies_only() -> None:
    a_worker()
    running(1, OTHER_WORKER)
    assert write_batch(WORKER, Batch()).mine == {}


def test_an_end_tells_of_the_go_that_it_gave() -> None:
    a_worker()
    first, second = start(a_turn("a")), start(a_turn("b"))
    stands = write_batch(WORKER, Batch(ends=[finished(first)]))
    assert stands.mine[second.message_pk] == (True, False)


def test_ends_give_the_go_in_every_conversation() -> None:
    a_worker()
    firsts = running(3)
    seconds = running(3)
    write_batch(WORKER, Batch(ends=[finished(begun) for begun in reversed(firsts)]))
    assert [state_of(begun) for begun in seconds] == ["running"] * 3


def test_two_ends_of_one_conversation_give_the_go_once() -> None:
    a_worker()
    replies = [start(a_turn(text)) for text in ("a", "b", "c", "d")]
    write_batch(WORKER, Batch(ends=[finished(replies[1], ""), finished(replies[0])]))
    assert [state_of(begun) for begun in replies[2:]] == ["running", "waiting"]


def test_the_go_may_be_anothers() -> None:
    a_worker()
    first = start(a_turn("a"))
    second = start(a_turn("b"), OTHER_WORKER)
    stands = write_batch(WORKER, Batch(ends=[finished(first)]))
    assert (set(stands.mine), state_of(second)) == ({first.message_pk}, "running")


def test_to_look_is_to_write_nothing() -> None:
    a_worker()
    running(1)
    before = everything()
    standing(WORKER)
    assert everything() == before


def test_to_look_tells_the_same() -> None:
    a_worker()
    start(a_turn("a"))
    start(a_turn("b"))
    assert standing(WORKER) == write_batch(WORKER, Batch())


def test_to_look_tells_that_a_worker_is_replaced() -> None:
    running(1)
    assert (standing(WORKER).replaced, standing(WORKER).mine) == (True, {})


# -- cancelling


def test_a_wish_to_cancel_tells_whose_reply_it_is() -> None:
    one, two = *running(1), *running(1, OTHER_WORKER)
    assert request_cancel([one.message_pk, two.message_pk]) == {
        one.message_pk: WORKER,
        two.message_pk: OTHER_WORKER,
    }


def test_a_wish_to_cancel_what_has_ended_finds_nobody() -> None:
    a_worker()
    (begun,) = running(1)
    write_batch(WORKER, Batch(ends=[finished(begun)]))
    assert request_cancel([begun.message_pk]) == {}


def test_the_workers_of_a_conversation() -> None:
    first = start(a_turn("a"))
    start(a_turn("b"), OTHER_WORKER)
    assert workers_of([first.conversation_pk]) == {WORKER, OTHER_WORKER}


# -- what it costs


def queries(batch: Batch) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        write_batch(WORKER, batch)
    return len([query for query in captured if "SAVEPOINT" not in query["sql"]])


@pytest.mark.parametrize("number", [1, 50])
def test_text_costs_three_statements_however_many_replies_stream(number: int) -> None:
    a_worker()
    replies = running(number)
    assert queries(Batch([append(begun) for begun in replies])) == 3


def test_an_end_costs_a_bounded_number_of_statements() -> None:
    a_worker()
    replies = running(50)
    one = queries(Batch(ends=[finished(replies[0])]))
    ten = queries(Batch(ends=[finished(begun) for begun in replies[1:11]]))
    assert ten - one <= 9 * 3
