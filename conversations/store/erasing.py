"""Conversations deleted for good, in steps that hold no lock for long however much was said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from conversations.models import Attempt, Conversation, Generation, IdempotencyKey, JournalEntry, Message, SearchEntry
from conversations.store.endings import lock_conversations

BATCH = 500


@dataclass(frozen=True, slots=True)
class Erased:
    """done: nothing is left;  under_way: keys of replies that had not ended, with their workers"""

    done: bool
    under_way: Mapping[int, UUID]


def erase(conversation_pk: int) -> Mapping[int, UUID]:
    """Delete all rows of a conversation. Returns the keys of replies that were under way, with their workers.

    Those end at once: their workers find that the rows are gone, and tell whoever watches.
    """
    under_way: dict[int, UUID] = {}
    while True:
        step = erase_some(conversation_pk)
        under_way |= step.under_way
        if step.done:
            return under_way


@transaction.atomic
def erase_some(conversation_pk: int) -> Erased:
    """Delete the newest messages, as none may outlive the one it answers; with the last ones the conversation goes."""
    lock_conversations({conversation_pk})
    newest = Message.objects.filter(conversation_id=conversation_pk).order_by("-pk")
    keys = list(newest.values_list("pk", flat=True)[:BATCH])
    # A reply and its generation go together: one without the other would look like one that was interrupted.
    under_way = Generation.objects.filter(pk__in=keys)
    workers = dict(under_way.values_list("pk", "worker_id"))
    under_way.delete()
    for model in (IdempotencyKey, Attempt, JournalEntry):
        model.objects.filter(message_id__in=keys).delete()
    SearchEntry.objects.filter(pk__in=keys).delete()
    # Django's own deletion would look for the children of each message, level by level.
    rows = Message.objects.filter(pk__in=keys)
    rows._raw_delete(rows.db)
    if len(keys) == BATCH:
        return Erased(False, workers)
    SearchEntry.objects.filter(pk=-conversation_pk).delete()
    conversation = Conversation.objects.filter(pk=conversation_pk)
    conversation._raw_delete(conversation.db)
    return Erased(True, workers)
