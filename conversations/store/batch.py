"""What one process writes together: new text of all its replies, their ends, its heartbeat, and what was used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction

from conversations.models import Worker
from conversations.store import statements
from conversations.store.endings import Finished, finish, lock_conversations
from conversations.store.usage import UsageKey, UsageSums, add_usage

BEAT = "UPDATE conversations_worker SET heartbeat_at = {now} WHERE id = %s"
MINE = "SELECT message_id, state, cancel_requested_at FROM conversations_generation WHERE worker_id = %s"
JOURNAL = "INSERT INTO conversations_journalentry (message_id, position, text) VALUES (%s, %s, %s)"
SERVED = "UPDATE conversations_message SET provider = %s, model = %s, time_to_first_token_ms = %s WHERE id = %s"


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
    if not statements.run(BEAT, (statements.uuid_parameter(worker_id),)):
        return Standing(True, {})
    mine = _mine(worker_id)
    _journal([append for append in batch.appends if append.message_pk in mine])
    ends = [end for end in batch.ends if end.message_pk in mine]
    for key in finish(ends) if ends else ():
        if key in mine:
            mine[key] = (True, mine[key][1])
    return Standing(False, mine)


def _mine(worker_id: UUID) -> dict[int, tuple[bool, bool]]:
    rows = statements.rows(MINE, (statements.uuid_parameter(worker_id),))
    return {key: (state == "running", cancel is not None) for key, state, cancel in rows}


def _journal(appends: Sequence[Append]) -> None:
    statements.run_many(JOURNAL, ((one.message_pk, one.position, one.text) for one in appends if one.text))
    served = ((one.provider, one.model, one.time_to_first_token_ms, one.message_pk) for one in appends if one.model)
    statements.run_many(SERVED, served)
