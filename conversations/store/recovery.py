"""Replies whose worker is gone or does not answer: ended by whoever notices, with the text the journal holds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from conversations.models import Generation, IdempotencyKey, JournalEntry, Message, SearchEntry, Status, Worker
from conversations.store import statements
from conversations.store.claims import KEPT
from conversations.store.endings import Finished, finish, lock_conversations
from conversations.store.journalled import joined
from conversations.store.paths import tail_to
from conversations.store.reading import context_of
from conversations.store.usage import UsageKey, UsageSums, add_usage, bucket
from conversations.turns import CONTEXT_MESSAGES
from providers.estimates import tokens

CANCEL_PATIENCE = timedelta(seconds=2)
"""How long a worker may take to end a reply it was asked to cancel."""

INTERRUPTED = "The server that produced this reply stopped. The text is as far as it came."
ERRORS = {
    Status.INTERRUPTED: INTERRUPTED,
    Status.FAILED: "The end of this reply could not be stored. The text is as far as it was.",
}
SWEPT_AT_ONCE = 1000

EACH = """
    WITH RECURSIVE value(id) AS (
        SELECT (SELECT r.{column} FROM {table} r ORDER BY r.{column} LIMIT 1)
        UNION ALL
        SELECT (SELECT r.{column} FROM {table} r WHERE r.{column} > v.id ORDER BY r.{column} LIMIT 1)
        FROM value v WHERE v.id IS NOT NULL
    )
    SELECT v.id FROM value v WHERE v.id IS NOT NULL AND {condition}
"""
"""The different values of a column, by walking its index from one to the next greater: what that costs follows their
number, of workers or of replies under way, and not that of the rows which each of them has."""

LOST_WORKERS = EACH.format(
    table="conversations_generation",
    column="worker_id",
    condition="NOT EXISTS (SELECT 1 FROM conversations_worker k WHERE k.id = v.id)",
)
ORPHANS = EACH.format(
    table="conversations_journalentry",
    column="message_id",
    condition="(SELECT g.message_id FROM conversations_generation g WHERE g.message_id = v.id) IS NULL LIMIT %s",
)


def journalled_text(message_pk: int) -> str:
    """What the journal holds of a reply, in order."""
    entries = JournalEntry.objects.filter(message_id=message_pk).order_by("id")
    return joined(entries.values_list("position", "text"))


def workers_dead_for(silence: timedelta, as_of: datetime | None) -> list[Worker]:
    """Workers whose last heartbeat was older than `silence` at a moment of the database's clock (None: now)."""
    since = Now() - silence if as_of is None else as_of - silence
    return list(Worker.objects.filter(heartbeat_at__lt=since))


def replies_of(worker_id: UUID) -> list[int]:
    return list(Generation.objects.filter(worker_id=worker_id).order_by("pk").values_list("pk", flat=True))


def replies_without_worker() -> list[int]:
    """Replies whose worker's row is gone: it said goodbye or was declared dead, and something was left behind."""
    lost = [UUID(str(worker)) for (worker,) in statements.rows(LOST_WORKERS)]
    if not lost:
        return []
    rows = Generation.objects.filter(worker_id__in=lost).order_by("pk")
    return list(rows.values_list("pk", flat=True)[:SWEPT_AT_ONCE])


def unanswered_cancels() -> list[int]:
    """Replies whose worker did not end them within the time it has."""
    late = Generation.objects.filter(cancel_requested_at__lt=Now() - CANCEL_PATIENCE)
    return list(late.order_by("pk").values_list("pk", flat=True)[:SWEPT_AT_ONCE])


def end_for_another(message_pk: int, status: Status, *, unless_seen_within: timedelta | None = None) -> bool:
    """End one reply with the journal's text, in one transaction. Returns whether it was still to be ended.

    An interrupted one is counted in the usage of its day: its worker is not there to do that.

    unless_seen_within: leave it alone where its worker has beaten meanwhile
    """
    found = Message.objects.filter(pk=message_pk).values_list("conversation_id", "conversation__owner_id").first()
    if found is None:
        return False
    conversation, owner_id = found
    with transaction.atomic():
        lock_conversations({conversation})
        generation = Generation.objects.filter(pk=message_pk).first()
        if generation is None:
            return False
        # The lock on the worker's row is what its own batches wait for: text is written before this, or never.
        worker = Worker.objects.select_for_update().filter(pk=generation.worker_id)
        known = worker.first() is not None
        if known and unless_seen_within and worker.filter(heartbeat_at__gte=Now() - unless_seen_within).exists():
            return False
        end = _as_found(generation, status)
        finish([end])
    if status == Status.INTERRUPTED and end.model:
        # Apart from it, as the locks of the sums come before those of workers.
        with transaction.atomic():
            add_usage({_usage_key(end, owner_id): _usage_sums(end)})
    return True


def forget(worker_id: UUID, *, unless_seen_within: timedelta | None = None) -> None:
    """Remove a dead worker's row: should it only have been asleep, its next batch finds that out."""
    rows = Worker.objects.filter(pk=worker_id)
    if unless_seen_within is not None:
        rows = rows.filter(heartbeat_at__lt=Now() - unless_seen_within)
    rows.delete()


def sweep() -> bool:
    """Delete some of what nobody needs any more: journal rows without a reply, old keys. Whether there may be more."""
    gone = [key for (key,) in statements.rows(ORPHANS, (SWEPT_AT_ONCE,))]
    orphans = JournalEntry.objects.filter(message_id__in=gone).values_list("pk", flat=True)[:SWEPT_AT_ONCE]
    old = IdempotencyKey.objects.filter(created_at__lt=Now() - KEPT).values_list("pk", flat=True)[:SWEPT_AT_ONCE]
    counts = _delete(JournalEntry, orphans), _delete(IdempotencyKey, old)
    return max(counts) >= SWEPT_AT_ONCE


def _delete(model: type[JournalEntry | IdempotencyKey], keys: Iterable[int]) -> int:
    found = list(keys)
    if found:
        model.objects.filter(pk__in=found).delete()
    return len(found)


def _as_found(generation: Generation, status: Status) -> Finished:
    """Where a model had begun to answer, with an estimate of what that cost: the vendor counts what it sent."""
    message: Message = generation.message
    text = journalled_text(generation.pk)
    begun = bool(message.model)
    return Finished(
        message_pk=generation.pk,
        conversation_pk=generation.conversation_id,
        status=status,
        text=text,
        provider=message.provider,
        model=message.model,
        error=ERRORS.get(status, ""),
        input_tokens=_tokens_read(generation) if begun else None,
        output_tokens=tokens(text) if begun else None,
        usage_estimated=begun,
        time_to_first_token_ms=message.time_to_first_token_ms,
        begun=bool(text),
        said=_said(message),
    )


def _said(reply: Message) -> list[tuple[int, str]]:
    """What its turn had added; a turn brings no more messages than go upstream."""
    before = tail_to(reply.parent_id, CONTEXT_MESSAGES)
    known = set(SearchEntry.objects.filter(pk__in=[each.pk for each in before]).values_list("pk", flat=True))
    return [(each.pk, each.content) for each in before if each.pk not in known]


def _tokens_read(generation: Generation) -> int:
    """About as many as went upstream; the provider's own prompt is not among them."""
    said = context_of(generation.pk)
    return tokens(generation.conversation.instructions, *(utterance.content for utterance in said))


def _usage_key(end: Finished, owner_id: int | None) -> UsageKey:
    return UsageKey(datetime.now(UTC).date(), owner_id or 0, end.provider, end.model)


def _usage_sums(end: Finished) -> UsageSums:
    sums = {"requests": 1, "input_tokens": end.input_tokens or 0, "output_tokens": end.output_tokens or 0}
    if end.time_to_first_token_ms is not None:
        sums[bucket(end.time_to_first_token_ms)] = 1
    return sums
