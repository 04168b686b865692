"""Conversations erased one after the other, in steps between which the server has its turn."""

from __future__ import annotations

import time

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType

from conversations.commands.progress import Progress
from conversations.models import Conversation
from conversations.models.conversation import ConversationQuerySet
from conversations.store.erasing import erase_some

PAUSE = 0.005
"""Seconds between two transactions: SQLite has no queue, and who comes back at once would always be first."""

KEYS_AT_ONCE = 200


def erase_all(rows: ConversationQuerySet, progress: Progress) -> None:
    """Erase what these rows are when their turn comes; replies under way in them end.

    A conversation that is no longer among the rows by then stays.
    """
    key = 0
    while keys := list(rows.filter(pk__gt=key).order_by("pk").values_list("pk", flat=True)[:KEYS_AT_ONCE]):
        for key in keys:
            if rows.filter(pk=key).exists():
                _erase(key)
                progress.advance()
        _forget(keys)


def _erase(key: int) -> None:
    done = False
    while not done:
        done = erase_some(key).done
        time.sleep(PAUSE)


def _forget(keys: list[int]) -> None:
    """What the admin's log says of conversations that are gone."""
    gone = set(keys) - set(Conversation.objects.filter(pk__in=keys).values_list("pk", flat=True))
    of_conversations = ContentType.objects.get_for_model(Conversation)
    LogEntry.objects.filter(content_type=of_conversations, object_id__in=[str(key) for key in gone]).delete()
