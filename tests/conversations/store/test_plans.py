"""No statement on the way of a request, or of the housekeeping, reads a large table as a whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django import DjangoDbBlocker

from conversations.admin import figures
from conversations.models import Conversation, Message, Status
from conversations.store import begin as beginnings
from conversations.store import (
    cancelling,
    changing,
    claims,
    erasing,
    exporting,
    following,
    histories,
    listing,
    mirroring,
    narrowing,
    reading,
    recovery,
    search,
    spending,
    transcripts,
    workers,
)
from conversations.store.batch import Append, Batch, standing, write_batch
from conversations.store.endings import Finished, Tried
from conversations.store.usage import UsageKey
from conversations.turns import Claim, Turn
from providers.messages import Message as Utterance
from tests.conversations.store.large import BIG, CONVERSATIONS, OWNERS, WORKERS, fill

pytestmark = pytest.mark.django_db

ENDED, RUNNING = 1_234, CONVERSATIONS - 7
"""Two conversations: one whose reply has ended, and one whose reply is under way."""

WORKER = WORKERS[RUNNING % 50]
MOMENT = str(datetime(2026, 1, 1, tzinfo=UTC))


EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN"}
ALIASES = ("c", "e", "m", "r", "U0", "U1")
"""What our statements, and Django's, call large tables in SQLite's plans."""


def owner(conversation: int) -> int:
    return 1 + conversation % OWNERS


def turn(conversation: int = ENDED, **fields: Any) -> Turn:
    said = (Utterance("user", "And then?"),)
    return Turn(**{"owner_id": owner(conversation), "conversation_id": f"c{conversation}", "messages": said, **fields})


def begin(**fields: Any) -> object:
    return beginnings.begin(turn(**fields), WORKER, "gpt")


def finished(conversation: int, text: str) -> Finished:
    tried = Tried("gpt", "gpt-4o", "complete", None, "", 100)
    return Finished(2 * conversation, conversation, Status.COMPLETE, text, "gpt", "gpt-4o", attempts=(tried,))


def page(words: Sequence[str] | None = None, after: listing.Position | None = None) -> object:
    return listing.page(owner(ENDED), 20, archived=False, words=words, after=after)


USAGE = UsageKey(date(2026, 10, 1), owner(ENDED), "gpt", "gpt-4o")
KEY = Claim(f"owner:{owner(ENDED)}", f"key-{ENDED}", "chat/gpt", "hash")
NEW_KEY = Claim(f"owner:{owner(ENDED)}", "a new key", "chat/gpt", "hash")

WORK: dict[str, Callable[[], object]] = {
    "begin a turn": begin,
    "begin a conversation": lambda: begin(conversation_id="a new one"),
    "begin with a key": lambda: begin(claim=NEW_KEY),
    "wait for another reply": lambda: begin(conversation=RUNNING),
    "interrupt another reply": lambda: begin(conversation=RUNNING, on_busy="interrupt"),
    "branch off": lambda: begin(parent_id=f"r{ENDED}"),
    "regenerate": lambda: begin(kind="regenerate", target_id=f"r{ENDED}", messages=()),
    "edit": lambda: begin(kind="edit", target_id=f"q{ENDED}"),
    "repeat with a key": lambda: beginnings.replay(turn(claim=KEY)),
    "write text": lambda: write_batch(WORKER, Batch([Append(2 * RUNNING, 50, "more", "gpt", "gpt-4o", 100)])),
    "end a reply": lambda: write_batch(WORKER, Batch(ends=[finished(RUNNING, "Yes")])),
    "end a reply without text": lambda: write_batch(WORKER, Batch(ends=[finished(RUNNING, "")])),
    "release keys": lambda: claims.release_unanswered(2 * ENDED, Status.FAILED, begun=False, abandoned=False),
    "add up usage": lambda: write_batch(WORKER, Batch(usage={USAGE: {"requests": 1}})),
    "look how replies stand": lambda: standing(WORKER),
    "beat": lambda: workers.seen(WORKER, beat=True),
    "cancel": lambda: cancelling.request_cancel([2 * RUNNING]),
    "tell who waits": lambda: cancelling.workers_of([RUNNING]),
    "ask whether a reply is under way": lambda: cancelling.is_under_way(2 * RUNNING),
    "find a producer": lambda: following.producer_of(2 * RUNNING),
    "follow": lambda: following.news_of({2 * RUNNING: 0, 2 * (RUNNING + 1): 0, 2 * ENDED: 0}),
    "find dead workers": lambda: recovery.workers_dead_for(timedelta(seconds=15), None),
    "find what a worker left": lambda: recovery.replies_of(WORKER),
    "find replies without a worker": recovery.replies_without_worker,
    "find unanswered cancels": recovery.unanswered_cancels,
    "end for another": lambda: recovery.end_for_another(2 * RUNNING, Status.INTERRUPTED),
    "sweep": recovery.sweep,
    "history": lambda: histories.page(owner(ENDED), f"c{ENDED}", 50, None),
    "earlier history": lambda: histories.page(owner(ENDED), f"c{ENDED}", 50, f"r{ENDED}"),
    "whole history": lambda: histories.chunk_after(ENDED, 0),
    "history under way": lambda: histories.page(owner(RUNNING), f"c{RUNNING}", 50, None),
    "message": lambda: reading.message_of(owner(ENDED), f"r{ENDED}"),
    "context of who waited": lambda: reading.context_of(2 * RUNNING),
    "list": page,
    "later page of the list": lambda: page(after=listing.Position(MOMENT, 5)),
    "search": lambda: page([f"w{ENDED}"]),
    "search for a common word": lambda: page(["common"]),
    "search among all": lambda: search.found_among_all([f"w{ENDED}"], 100),
    "mirror": lambda: mirroring.seen(RUNNING, {2 * RUNNING: "streaming"}, everything=False),
    "mirror by name": lambda: mirroring.found([(owner(ENDED), f"c{ENDED}"), (None, "none")]),
    "rename": lambda: changing.change(owner(ENDED), f"c{ENDED}", {"title": "Another"}),
    "activate": lambda: changing.activate(owner(ENDED), f"r{ENDED}"),
    "feedback": lambda: changing.give_feedback(owner(ENDED), f"r{ENDED}", "up", ""),
    "export": lambda: exporting.part_after(ENDED, 0),
    "erase": lambda: erasing.erase_some(ENDED),
    "models used": lambda: spending.models_used(list(range(ENDED, ENDED + 50))),
    "transcript": lambda: transcripts.newest(ENDED),
    "usage of a month": lambda: figures.per_day(date(2026, 10, 1), date(2026, 10, 31)),
    "newest conversations": lambda: list(Conversation.objects.recent()[:50]),
    "conversations that failed": lambda: list(narrowing.ended_as(Conversation.objects.recent(), "failed")[:50]),
    "conversations of a model": lambda: list(narrowing.answered_by(Conversation.objects.recent(), model="gpt-4o")[:50]),
    "a conversation by its id": lambda: list(Conversation.objects.filter(public_id=f"c{ENDED}")),
    "messages that failed": lambda: list(narrowing.standing(Message.objects.order_by("-id"), "failed")[:50]),
    "messages with thumbs": lambda: list(narrowing.rated(Message.objects.order_by("-id"), "up")[:50]),
}


@pytest.fixture(scope="module")
def filled(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock(), transaction.atomic():
        fill()
        yield
        transaction.set_rollback(True)


@pytest.mark.parametrize("work", WORK.values(), ids=[name.replace(" ", "-") for name in WORK])
def test_it_reads_no_large_table_as_a_whole(work: Callable[[], object], filled: None) -> None:
    plans = plans_of(work)
    assert plans
    assert [plan for plan in plans if whole_tables(plan)] == []


def plans_of(work: Callable[[], object]) -> list[str]:
    """How the database goes about each statement of this work, whose changes are taken back."""
    plans: list[str] = []

    def explained(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if re.match(r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE)\b", sql) and (params or not many):
            cursor = context["cursor"].cursor
            cursor.execute(f"{EXPLAIN[connection.vendor]} {sql}", params[0] if many else params)
            plans.append("\n".join([sql, *(str(row[-1]) for row in cursor.fetchall())]))
        return execute(sql, params, many, context)

    with transaction.atomic():
        connection.force_debug_cursor = True  # so that on SQLite, too, all goes through Django's cursor
        try:
            with connection.execute_wrapper(explained):
                work()
        finally:
            connection.force_debug_cursor = False
        transaction.set_rollback(True)
    return plans


def whole_tables(plan: str) -> list[str]:
    """The large tables that it reads from one end to the other."""
    if connection.vendor == "postgresql":
        return [name for name in re.findall(r"Seq Scan on conversations_(\w+)", plan) if name in BIG]
    scanned = re.findall(r"^SCAN (?:conversations_)?(\w+)(?! USING)$", plan, re.MULTILINE)
    return [name for name in scanned if name in (*BIG, *ALIASES)]
