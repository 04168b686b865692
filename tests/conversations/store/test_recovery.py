from __future__ import annotations

import os
import platform
from datetime import timedelta
from typing import Any
from uuid import UUID

import psutil
import pytest
from django.core.management import call_command
from django.db.models import F
from django.db.models.functions import Now

from conversations.generations.reaper import STALE, end_unanswered_cancels, recover
from conversations.models import DailyUsage, Generation, IdempotencyKey, JournalEntry, Message, Status, User, Worker
from conversations.store import recovery, workers
from conversations.store.batch import Append, Batch, write_batch
from conversations.store.begin import Begun
from conversations.store.endings import Finished
from conversations.store.workers import Process, is_dead, this_host, this_process
from tests.conversations.stored import (
    OTHER_WORKER,
    WORKER,
    a_claim,
    a_turn,
    a_worker,
    assistant,
    shown,
    start,
    state_of,
    user,
)

pytestmark = pytest.mark.django_db

NO_PID = 2**22 + 1
"""Greater than any that Linux gives."""


def a_local_worker(pid: int, *, started: float = 0.0, worker_id: UUID = WORKER) -> None:
    workers.register(worker_id, Process(this_host(), pid, started))


def a_dead_worker() -> None:
    a_local_worker(NO_PID)


def a_silent_worker(seconds: float, worker_id: UUID = WORKER) -> None:
    """One of another host that was last heard of so long ago."""
    a_worker(worker_id)
    Worker.objects.filter(pk=worker_id).update(heartbeat_at=Now() - timedelta(seconds=seconds))


def a_streaming_reply(text: str = "par", worker: UUID = WORKER, **fields: Any) -> Begun:
    begun = start(a_turn("a", **fields), worker)
    JournalEntry.objects.create(message_id=begun.message_pk, position=0, text=text[:1])
    JournalEntry.objects.create(message_id=begun.message_pk, position=1, text=text[1:])
    return begun


def statuses() -> list[str]:
    return list(Message.objects.filter(role="assistant").order_by("pk").values_list("status", flat=True))


# -- who is dead


def test_this_process_is_alive() -> None:
    assert not is_dead(this_process())


def test_a_process_that_is_gone_is_dead() -> None:
    assert is_dead(Process(this_host(), NO_PID, 0))


def test_a_process_whose_pid_serves_another_is_dead() -> None:
    assert is_dead(Process(this_host(), os.getpid(), this_process().started - 60))


def test_a_clock_that_is_set_kills_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    process = this_process()
    created, booted = psutil.Process.create_time, psutil.boot_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: created(self) + 3600)
    monkeypatch.setattr(psutil, "boot_time", lambda: booted() + 3600)
    assert not is_dead(process)


def test_a_process_that_ended_and_was_not_waited_for_is_dead() -> None:
    child = os.fork()
    if not child:
        os._exit(0)
    started = psutil.Process(child).create_time() - psutil.boot_time()
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    try:
        assert is_dead(Process(this_host(), child, started))
    finally:
        os.waitpid(child, 0)


def test_a_host_is_more_than_its_name() -> None:
    assert this_host().startswith(platform.node() + ":")


def test_only_this_hosts_workers_are_looked_at() -> None:
    Worker.objects.create(id=WORKER, host="elsewhere", pid=NO_PID, process_started=0)
    assert workers.dead_on_this_host() == []


def test_a_living_worker_beats() -> None:
    a_silent_worker(1000)
    seen = workers.seen(WORKER, beat=True)
    assert seen == Worker.objects.get().heartbeat_at
    assert not recovery.workers_dead_for(STALE, None)


def test_to_ask_when_a_worker_was_seen_is_no_heartbeat() -> None:
    a_silent_worker(1000)
    workers.seen(WORKER, beat=False)
    assert recovery.workers_dead_for(STALE, None)


@pytest.mark.parametrize("beat", [True, False])
def test_a_forgotten_worker_learns_it(beat: bool) -> None:
    assert workers.seen(WORKER, beat=beat) is None


# -- what a dead worker left


def test_a_reply_of_a_dead_process_of_this_host_is_interrupted_at_once() -> None:
    a_dead_worker()
    a_streaming_reply()
    assert (recover(silence=None), statuses()) == (1, ["interrupted"])


def test_a_reply_of_a_process_whose_pid_was_reused_is_interrupted_at_once() -> None:
    a_local_worker(os.getpid(), started=this_process().started - 60)
    a_streaming_reply()
    assert (recover(silence=None), statuses()) == (1, ["interrupted"])


def test_a_reply_of_a_living_process_goes_on() -> None:
    process = this_process()
    a_local_worker(process.pid, started=process.started)
    a_streaming_reply()
    assert (recover(silence=STALE), statuses()) == (0, ["streaming"])


def test_its_text_is_kept() -> None:
    a_dead_worker()
    a_streaming_reply("par")
    recover(silence=None)
    assert shown() == ["a", "> par"]


def test_its_client_is_told_why() -> None:
    a_dead_worker()
    a_streaming_reply()
    recover(silence=None)
    assert Message.objects.get(role="assistant").error == recovery.INTERRUPTED


def test_its_model_stays_known() -> None:
    a_dead_worker()
    begun = a_streaming_reply()
    Message.objects.filter(pk=begun.message_pk).update(provider="gpt", model="gpt-4o", time_to_first_token_ms=9)
    recover(silence=None)
    message = Message.objects.get(pk=begun.message_pk)
    assert (message.provider, message.model, message.time_to_first_token_ms) == ("gpt", "gpt-4o", 9)


def test_its_journal_is_folded() -> None:
    a_dead_worker()
    a_streaming_reply()
    recover(silence=None)
    assert not JournalEntry.objects.exists()


def test_text_that_was_written_twice_is_there_once() -> None:
    """The acknowledgement of a commit was lost, and the text was written again with what followed."""
    a_dead_worker()
    begun = a_streaming_reply("par")
    JournalEntry.objects.create(message_id=begun.message_pk, position=1, text="artial")
    recover(silence=None)
    assert shown() == ["a", "> partial"]


def test_the_dead_worker_is_forgotten() -> None:
    a_dead_worker()
    recover(silence=None)
    assert not Worker.objects.exists()


def test_the_next_turn_sends_the_partial_text() -> None:
    a_dead_worker()
    a_streaming_reply("par")
    recover(silence=None)
    again = start(a_turn("b"), OTHER_WORKER)
    assert (again.running, again.messages) == (True, [user("a"), assistant("par"), user("b")])


def test_a_waiting_turn_of_a_dead_worker_blocks_nobody() -> None:
    a_worker(OTHER_WORKER)
    first = start(a_turn("a"), OTHER_WORKER)
    a_dead_worker()
    start(a_turn("b"))
    last = start(a_turn("c"), OTHER_WORKER)
    recover(silence=None)
    write_batch(OTHER_WORKER, Batch(ends=[Finished(first.message_pk, first.conversation_pk, "complete", "A")]))
    assert (statuses()[1], state_of(last)) == ("interrupted", "running")


def test_a_turn_that_waits_for_a_dead_worker_gets_its_go() -> None:
    a_dead_worker()
    a_streaming_reply()
    waiting = start(a_turn("b"), OTHER_WORKER)
    a_worker(OTHER_WORKER)
    recover(silence=None)
    assert state_of(waiting) == "running"


def test_all_replies_of_a_dead_worker_are_ended() -> None:
    a_dead_worker()
    a_streaming_reply()
    start(a_turn("b"))
    a_streaming_reply(conversation_id="session-2")
    assert (recover(silence=None), set(statuses())) == (3, {"interrupted"})


def test_a_dead_workers_keys_are_freed_where_nothing_was_answered() -> None:
    a_dead_worker()
    start(a_turn("a", claim=a_claim()))
    recover(silence=None)
    assert IdempotencyKey.objects.get().released


def test_to_recover_twice_is_to_recover_once() -> None:
    a_dead_worker()
    a_streaming_reply()
    recover(silence=None)
    assert recover(silence=None) == 0


# -- workers of other hosts


def test_a_silent_worker_of_another_host_is_left_alone_for_a_while() -> None:
    a_silent_worker(STALE.total_seconds() - 1)
    a_streaming_reply()
    assert (recover(silence=STALE), statuses()) == (0, ["streaming"])


def test_a_worker_of_another_host_is_dead_once_it_has_been_silent() -> None:
    a_silent_worker(STALE.total_seconds() + 1)
    a_streaming_reply()
    assert (recover(silence=STALE), statuses(), Worker.objects.count()) == (1, ["interrupted"], 0)


def test_a_worker_is_judged_as_of_the_judges_own_heartbeat() -> None:
    """Whoever judges may have slept, or the database stood still, since its own heart beat."""
    a_silent_worker(1000)
    a_silent_worker(1010, OTHER_WORKER)
    a_streaming_reply(worker=OTHER_WORKER)
    as_of = workers.seen(WORKER, beat=False)
    assert (recover(silence=STALE, as_of=as_of), statuses()) == (0, ["streaming"])


def test_nobody_is_judged_by_silence_unless_asked() -> None:
    a_silent_worker(1000)
    a_streaming_reply()
    assert (recover(silence=None), statuses()) == (0, ["streaming"])


def test_a_worker_that_has_beaten_meanwhile_keeps_its_reply() -> None:
    a_worker()
    begun = a_streaming_reply()
    ended = recovery.end_for_another(begun.message_pk, Status.INTERRUPTED, unless_seen_within=STALE)
    assert (ended, statuses()) == (False, ["streaming"])


def test_a_worker_that_has_beaten_meanwhile_is_not_forgotten() -> None:
    a_worker()
    recovery.forget(WORKER, unless_seen_within=STALE)
    assert Worker.objects.exists()


def test_a_reply_without_a_worker_is_ended() -> None:
    a_streaming_reply()
    assert (recover(silence=None), statuses()) == (1, ["interrupted"])


def test_a_worker_that_comes_back_writes_nothing() -> None:
    a_silent_worker(1000)
    begun = a_streaming_reply("par")
    recover(silence=STALE)
    late = Batch(
        [Append(begun.message_pk, 3, "tial")], [Finished(begun.message_pk, begun.conversation_pk, "complete", "x")]
    )
    assert (write_batch(WORKER, late).replaced, shown(), JournalEntry.objects.count()) == (True, ["a", "> par"], 0)


def test_the_end_of_a_message_that_is_gone_is_nobodys() -> None:
    assert not recovery.end_for_another(1, Status.INTERRUPTED)


# -- cancels


def cancelled_ago(begun: Begun, seconds: float) -> None:
    Generation.objects.filter(pk=begun.message_pk).update(cancel_requested_at=Now() - timedelta(seconds=seconds))


def test_a_cancel_that_its_worker_does_not_answer_ends_the_reply() -> None:
    a_worker()
    cancelled_ago(a_streaming_reply("par"), 2.5)
    assert (end_unanswered_cancels(), statuses(), shown()) == (1, ["cancelled"], ["a", "> par"])


def test_a_cancel_has_its_time() -> None:
    a_worker()
    cancelled_ago(a_streaming_reply(), 1)
    assert (end_unanswered_cancels(), statuses()) == (0, ["streaming"])


def test_the_worker_learns_that_the_reply_was_ended() -> None:
    a_worker()
    begun = a_streaming_reply()
    cancelled_ago(begun, 2.5)
    end_unanswered_cancels()
    assert write_batch(WORKER, Batch([Append(begun.message_pk, 3, "tial")])).mine == {}


# -- what nobody needs any more


def test_it_sweeps_text_without_a_reply() -> None:
    begun = a_streaming_reply()
    JournalEntry.objects.create(message_id=begun.message_pk + 1000, position=0, text="x")
    recovery.sweep()
    assert set(JournalEntry.objects.values_list("message_id", flat=True)) == {begun.message_pk}


def test_it_sweeps_old_keys() -> None:
    start(a_turn("a", claim=a_claim("old")))
    IdempotencyKey.objects.update(created_at=F("created_at") - timedelta(hours=25))
    start(a_turn("b", claim=a_claim("young")))
    recovery.sweep()
    assert IdempotencyKey.objects.get().key == "young"


def test_it_sweeps_in_bounded_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "SWEPT_AT_ONCE", 3)
    JournalEntry.objects.bulk_create(JournalEntry(message_id=1, position=0, text="x") for _ in range(7))
    recovery.sweep()
    assert JournalEntry.objects.count() == 4


def test_it_tells_whether_there_is_more_to_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "SWEPT_AT_ONCE", 3)
    JournalEntry.objects.bulk_create(JournalEntry(message_id=1, position=0, text="x") for _ in range(4))
    assert [recovery.sweep(), recovery.sweep()] == [True, False]


# -- by command


def test_the_command_ends_what_dead_workers_left(capsys: pytest.CaptureFixture[str]) -> None:
    a_silent_worker(1000)
    a_streaming_reply()
    call_command("recover_generations")
    assert (capsys.readouterr().out, statuses()) == ("1 reply ended.\n", ["interrupted"])


def test_the_command_can_leave_other_hosts_alone(capsys: pytest.CaptureFixture[str]) -> None:
    a_silent_worker(1000)
    a_streaming_reply()
    call_command("recover_generations", "--this-host-only")
    assert (capsys.readouterr().out, statuses()) == ("0 replies ended.\n", ["streaming"])


def test_the_command_ends_unanswered_cancels(capsys: pytest.CaptureFixture[str]) -> None:
    a_worker()
    cancelled_ago(a_streaming_reply(), 2.5)
    call_command("recover_generations")
    assert statuses() == ["cancelled"]


# -- what it cost


def an_answering_reply(**fields: Any) -> Begun:
    """A model has begun to answer: what it read, and `par`."""
    begun = a_streaming_reply(**fields)
    answering = {"provider": "gpt", "model": "gpt-4o", "time_to_first_token_ms": 300}
    Message.objects.filter(pk=begun.message_pk).update(**answering)
    return begun


def used() -> list[dict[str, Any]]:
    told = ("owner_id", "provider", "model", "requests", "input_tokens", "output_tokens", "errors", "ttft_500")
    return list(DailyUsage.objects.values(*told))


def test_what_a_dead_worker_left_is_counted_once() -> None:
    a_dead_worker()
    an_answering_reply()
    recover(silence=None)
    recover(silence=None)
    counted = {"requests": 1, "input_tokens": 1, "output_tokens": 1, "errors": 0, "ttft_500": 1}
    assert used() == [{"owner_id": 0, "provider": "gpt", "model": "gpt-4o", **counted}]


def test_what_it_cost_is_told_as_an_estimate() -> None:
    a_dead_worker()
    begun = an_answering_reply()
    recover(silence=None)
    message = Message.objects.get(pk=begun.message_pk)
    assert (message.input_tokens, message.output_tokens, message.usage_estimated) == (1, 1, True)
    assert (message.conversation.input_tokens, message.conversation.output_tokens) == (1, 1)


def test_what_it_read_is_the_whole_context() -> None:
    a_dead_worker()
    begun = start(a_turn("x" * 40, assistant("y" * 40), "z" * 40, instructions="i" * 40))
    Message.objects.filter(pk=begun.message_pk).update(provider="gpt", model="gpt-4o")
    recover(silence=None)
    assert [(row["input_tokens"], row["output_tokens"]) for row in used()] == [(40, 0)]


def test_it_is_counted_for_the_owner() -> None:
    a_dead_worker()
    owner = User.objects.create_user("ada")
    an_answering_reply(owner_id=owner.pk)
    recover(silence=None)
    assert [row["owner_id"] for row in used()] == [owner.pk]


def test_nothing_is_counted_where_no_model_is_known_to_have_answered() -> None:
    a_dead_worker()
    start(a_turn("a"))
    recover(silence=None)
    assert used() == []


def test_what_a_worker_is_asked_to_cancel_is_counted_by_that_worker() -> None:
    a_worker()
    an_answering_reply()
    Generation.objects.update(cancel_requested_at=Now() - 2 * recovery.CANCEL_PATIENCE)
    end_unanswered_cancels()
    assert used() == []
