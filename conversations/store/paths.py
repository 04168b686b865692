"""Ways through the tree of a conversation's messages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from django.db import connection
from django.db.models import Case, Q, Subquery, When

from conversations.models import Message, Status
from providers.messages import Message as Utterance
from providers.messages import Role

SHOWN = Q(role="user") | ~Q(content="") | Q(status=Status.STREAMING)
"""A message that can be shown: an ended reply without text cannot."""

STEP = 1000
"""Keys named in one statement."""

# Each step looks one row up by its key. A join in their place may become a scan of the whole table at each step,
# where the planner's statistics are missing or old.
WAY = """
    WITH RECURSIVE way(id, parent_id) AS (
        SELECT id, parent_id FROM conversations_message WHERE id = %s
        UNION ALL
        SELECT w.parent_id, (SELECT m.parent_id FROM conversations_message m WHERE m.id = w.parent_id)
        FROM way w WHERE w.parent_id > %s
    ) SELECT id FROM way
"""
"""Keys from a message back to the beginning, or as far as they are greater than another key (0: all)."""

FORK = """
    WITH RECURSIVE way(id, parent_id, active) AS (
        SELECT id, parent_id, active FROM conversations_message WHERE id = %s
        UNION ALL
        SELECT w.parent_id,
            (SELECT m.parent_id FROM conversations_message m WHERE m.id = w.parent_id),
            (SELECT m.active FROM conversations_message m WHERE m.id = w.parent_id)
        FROM way w WHERE w.parent_id IS NOT NULL AND NOT w.active
    ) SELECT id FROM way WHERE active
"""


def active_tail(conversation_id: int, limit: int) -> list[Message]:
    """The newest `limit` messages of the active path, oldest first."""
    newest = Message.objects.filter(conversation_id=conversation_id, active=True).order_by("-id")[:limit]
    return list(reversed(newest))


def tail_to(message_id: int | None, limit: int) -> list[Message]:
    """The newest `limit` shown messages on the way from the beginning to `message_id`, oldest first."""
    if message_id is None:
        return []
    newest = Message.objects.filter(SHOWN, id__in=_way(message_id, limit=2 * limit)).order_by("-id")[:limit]
    return list(reversed(newest))


def utterances(messages: Sequence[Message]) -> list[Utterance]:
    """What models read of stored messages: those with text."""
    return [Utterance(cast("Role", message.role), message.content) for message in messages if message.content]


def user_texts_to(message_id: int, limit: int) -> list[str]:
    """The oldest `limit` texts of user messages on the way from the beginning to `message_id`."""
    way = _way(message_id)[::-1]
    texts: list[str] = []
    for keys in _in_steps(way):
        users = Message.objects.filter(role="user", id__in=keys).order_by("id")
        texts += users.values_list("content", flat=True)[: limit - len(texts)]
        if len(texts) >= limit:
            break
    return texts


def show_path_to(conversation_id: int, message_id: int | None) -> None:
    """Make the way to `message_id` the active path; None: nothing is shown.

    What both ways have in common stays untouched: the cost is that of the branches, not that of the conversation.
    """
    rows = Message.objects.filter(conversation_id=conversation_id)
    fork = 0 if message_id is None else _fork(message_id)
    rows.filter(active=True, id__gt=fork).update(active=False)
    if message_id is not None:
        for keys in _in_steps(_way(message_id, after=fork)):
            rows.filter(SHOWN, id__in=keys).update(active=True)


def newest_leaf(message_id: int) -> int:
    """The newest shown message among those that descend from `message_id`, itself included.

    What follows in the conversation is read once, in the order in which children come after their parents: a planner
    without statistics may join the whole table at each step of a recursion downwards.
    """
    conversation = Message.objects.filter(pk=message_id).values("conversation_id")
    rows = Message.objects.filter(conversation_id=Subquery(conversation), pk__gt=message_id).order_by("pk")
    tree, newest = {message_id}, message_id
    for key, parent, shown in rows.values_list("pk", "parent_id", Case(When(SHOWN, then=True), default=False)):
        if parent in tree:
            tree.add(key)
            newest = key if shown else newest
    return newest


def _way(message_id: int, *, after: int = 0, limit: int | None = None) -> list[int]:
    """Keys from `message_id` back to the beginning: those greater than `after`, at most `limit`."""
    with connection.cursor() as cursor:
        cursor.execute(WAY if limit is None else f"{WAY} LIMIT {int(limit)}", [message_id, after])
        return [row[0] for row in cursor.fetchall()]


def _in_steps(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(keys), STEP):
        yield keys[start : start + STEP]


def _fork(message_id: int) -> int:
    """Key of the first message of the active path on the way back from a message; 0: there is none."""
    with connection.cursor() as cursor:
        cursor.execute(FORK, [message_id])
        row = cursor.fetchone()
        return row[0] if row else 0
