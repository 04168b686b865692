"""Ways through the tree of a conversation's messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from django.db import connection
from django.db.models import Q
from django.db.models.expressions import RawSQL

from conversations.models import Message, Status
from providers.messages import Message as Utterance
from providers.messages import Role

SHOWN = Q(role="user") | ~Q(content="") | Q(status=Status.STREAMING)
"""A message that can be shown: an ended reply without text cannot."""

WAY = """
    WITH RECURSIVE way(id, parent_id) AS (
        SELECT id, parent_id FROM conversations_message WHERE id = %s
        UNION ALL
        SELECT m.id, m.parent_id FROM conversations_message m JOIN way w ON m.id = w.parent_id WHERE m.id > %s
    ) SELECT id FROM way
"""
"""Keys from a message back to the beginning, or as far as they are greater than another key (0: all)."""

FORK = """
    WITH RECURSIVE way(id, parent_id, active) AS (
        SELECT id, parent_id, active FROM conversations_message WHERE id = %s
        UNION ALL
        SELECT m.id, m.parent_id, m.active FROM conversations_message m JOIN way w ON m.id = w.parent_id
        WHERE NOT w.active
    ) SELECT id FROM way WHERE active
"""
"""Key of the first message of the active path on the way back from a message."""

NEWEST = """
    WITH RECURSIVE tree(id, shown) AS (
        SELECT id, role = 'user' OR content <> '' OR status = 'streaming' FROM conversations_message WHERE id = %s
        UNION ALL
        SELECT m.id, m.role = 'user' OR m.content <> '' OR m.status = 'streaming'
        FROM conversations_message m JOIN tree t ON m.parent_id = t.id
    ) SELECT MAX(id) FROM tree WHERE shown
"""


def active_tail(conversation_id: int, limit: int) -> list[Message]:
    """The newest `limit` messages of the active path, oldest first."""
    newest = Message.objects.filter(conversation_id=conversation_id, active=True).order_by("-id")[:limit]
    return list(reversed(newest))


def tail_to(message_id: int | None, limit: int) -> list[Message]:
    """The newest `limit` shown messages on the way from the beginning to `message_id`, oldest first."""
    if message_id is None:
        return []
    newest = Message.objects.filter(SHOWN, id__in=_ancestors(message_id, 2 * limit)).order_by("-id")[:limit]
    return list(reversed(newest))


def utterances(messages: Sequence[Message]) -> list[Utterance]:
    """What models read of stored messages: those with text."""
    return [Utterance(cast("Role", message.role), message.content) for message in messages if message.content]


def user_texts_to(message_id: int, limit: int) -> list[str]:
    """The oldest `limit` texts of user messages on the way from the beginning to `message_id`."""
    users = Message.objects.filter(role="user", id__in=RawSQL(WAY, [message_id, 0])).order_by("id")  # noqa: S611
    return list(users.values_list("content", flat=True)[:limit])


def show_path_to(conversation_id: int, message_id: int | None) -> None:
    """Make the way to `message_id` the active path; None: nothing is shown.

    What both ways have in common stays untouched: the cost is that of the branches, not that of the conversation.
    """
    rows = Message.objects.filter(conversation_id=conversation_id)
    fork = 0 if message_id is None else _first(FORK, message_id) or 0
    rows.filter(active=True, id__gt=fork).update(active=False)
    if message_id is not None:
        rows.filter(SHOWN, id__in=RawSQL(WAY, [message_id, fork])).update(active=True)  # noqa: S611


def newest_leaf(message_id: int) -> int:
    """The newest shown message among those that descend from `message_id`, itself included."""
    return _first(NEWEST, message_id) or message_id


def _ancestors(message_id: int, limit: int) -> Sequence[int]:
    """Keys from `message_id` back to the beginning, at most `limit` of them."""
    with connection.cursor() as cursor:
        cursor.execute(f"{WAY} LIMIT {int(limit)}", [message_id, 0])
        return [row[0] for row in cursor.fetchall()]


def _first(statement: str, message_id: int) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [message_id])
        row = cursor.fetchone()
        return row[0] if row else None
