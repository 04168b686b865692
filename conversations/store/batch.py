"""What one process writes together: new text of all its replies, their ends, its heartbeat, and what was used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from conversations.models import Generation, JournalEntry, Message, Worker
from conversations.store.endings import Finished, finish, lock_conversations
from conversations.store.usage import UsageKey, UsageSums, add_usage


@dataclass(frozen=True, slots=True)
class Append:
    """New text of one reply, and the model that serves it where that has just become known."""

    message_pk: int
    position: int
    text: str
    provider: str = ""
    model: str = ""
    time_to_first_token_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    appends: Sequence[Append] = ()
    ends: Sequence[Finished] = ()
    usage: Mapping[UsageKey, UsageSums] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the database says of this process's replies.

    replaced: the worker is no longer known; whatever it produced is somebody else's to end
    mine:     key -> (has its go, shall be cancelled); a key that is missing was ended or deleted by another
    """

    replaced: bool
    mine: Mapping[int, tuple[bool, bool]]


def standing(worker_id: UUID) -> Standing:
    """Look, without writing anything."""
    replaced = not Worker.objects.filter(pk=worker_id).exists()
    return Standing(replaced, {} if replaced else _mine(worker_id))


@transaction.atomic
def write_batch(worker_id: UUID, batch: Batch) -> Standing:
    """Write what is still ours to write, in one transaction, and tell how all our replies stand after it.

    The update of the worker's own row is heartbeat and fence in one: whoever declares a worker dead holds that row's
    lock while it takes the replies over, so text is written either before that or not at all.
    """
    if batch.ends:
        lock_conversations({end.conversation_pk for end in batch.ends})
    add_usage(batch.usage)
    if not Worker.objects.filter(pk=worker_id).update(heartbeat_at=Now()):
        return Standing(True, {})
    mine = _mine(worker_id)
    _journal([append for append in batch.appends if append.message_pk in mine])
    ends = [end for end in batch.ends if end.message_pk in mine]
    if not ends:
        return Standing(False, mine)
    finish(ends)
    return Standing(False, _mine(worker_id) | {end.message_pk: mine[end.message_pk] for end in ends})


def _mine(worker_id: UUID) -> dict[int, tuple[bool, bool]]:
    rows = Generation.objects.filter(worker_id=worker_id).values_list("pk", "state", "cancel_requested_at")
    return {key: (state == Generation.State.RUNNING, cancel is not None) for key, state, cancel in rows}


def _journal(appends: Sequence[Append]) -> None:
    JournalEntry.objects.bulk_create(
        JournalEntry(message_id=append.message_pk, position=append.position, text=append.text)
        for append in appends
        if append.text
    )
    for append in appends:
        if append.model:
            Message.objects.filter(pk=append.message_pk).update(
                provider=append.provider,
                model=append.model,
                time_to_first_token_ms=append.time_to_first_token_ms,
            )
