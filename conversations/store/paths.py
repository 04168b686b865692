"""Ways through the tree of a conversation's messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from django.db import connection
from django.db.models import Q

from conversations.models import Message, Status
from providers.messages import Message as Utterance
from providers.messages import Role

SHOWN = Q(role="user") | ~Q(content="") | Q(status=Status.STREAMING)
"""A message that can be shown: an ended reply without text cannot."""

ANCESTORS = """
    WITH RECURSIVE path(id, parent_id) AS (
        SELECT id, parent_id FROM conversations_message WHERE id = %s
        UNION ALL
        SELECT m.id, m.parent_id FROM conversations_message m JOIN path p ON m.id = p.parent_id
    ) SELECT id FROM path
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


def show_path_to(conversation_id: int, message_id: int | None) -> None:
    """Make the way to `message_id` the active path; None: nothing is shown."""
    path = _ancestors(message_id) if message_id is not None else []
    rows = Message.objects.filter(conversation_id=conversation_id)
    active = set(rows.filter(active=True).values_list("id", flat=True))
    wanted = set(rows.filter(SHOWN, id__in=path).values_list("id", flat=True))
    if active - wanted:
        rows.filter(id__in=active - wanted).update(active=False)
    if wanted - active:
        rows.filter(id__in=wanted - active).update(active=True)


def newest_leaf(message_id: int) -> int:
    """The newest shown message among those that descend from `message_id`, itself included."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE tree(id) AS (
                SELECT id FROM conversations_message WHERE id = %s
                UNION ALL
                SELECT m.id FROM conversations_message m JOIN tree t ON m.parent_id = t.id
            ) SELECT id FROM tree
            """,
            [message_id],
        )
        ids = [row[0] for row in cursor.fetchall()]
    return Message.objects.filter(SHOWN, id__in=ids).order_by("-id").values_list("id", flat=True).first() or message_id


def _ancestors(message_id: int, limit: int | None = None) -> Sequence[int]:
    """Keys from `message_id` back to the beginning, at most `limit` of them."""
    with connection.cursor() as cursor:
        cursor.execute(ANCESTORS if limit is None else f"{ANCESTORS} LIMIT {int(limit)}", [message_id])
        return [row[0] for row in cursor.fetchall()]
