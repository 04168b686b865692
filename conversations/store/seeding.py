"""Many conversations written at once, in transactions of some thousand rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Max

from conversations.models import Attempt, Conversation, Message
from conversations.store.indexing import index_texts
from conversations.store.usage import UsageKey, UsageSums, add_usage


@dataclass(frozen=True, slots=True)
class Seeded:
    """A conversation without its key.

    messages: without keys, in the order they were written
    parents:  per message the place of the one it follows among `messages`; None: it is a beginning
    attempts: (place of the message, attempt without its message)
    """

    conversation: Conversation
    messages: Sequence[Message]
    parents: Sequence[int | None]
    attempts: Sequence[tuple[int, Attempt]] = ()


@transaction.atomic
def write(seeded: Sequence[Seeded], usage: dict[UsageKey, UsageSums]) -> None:
    """Write conversations with all that belongs to them, the search index included."""
    Conversation.objects.bulk_create(each.conversation for each in seeded)
    keys = iter(_keys(sum(len(each.messages) for each in seeded)))
    for each in seeded:
        for message, parent in zip(each.messages, each.parents, strict=True):
            message.pk = next(keys)
            message.conversation = each.conversation
            message.parent_id = None if parent is None else each.messages[parent].pk
        for place, attempt in each.attempts:
            attempt.message = each.messages[place]
    messages = [message for each in seeded for message in each.messages]
    Message.objects.bulk_create(messages, batch_size=1000)
    Attempt.objects.bulk_create(attempt for each in seeded for _, attempt in each.attempts)
    index_texts([(message.pk, message.conversation_id, message.content) for message in messages])
    add_usage(usage)


def _keys(count: int) -> Sequence[int]:
    """Keys for that many messages, which nobody else will use."""
    if connection.vendor == "postgresql":
        statement = "SELECT nextval(pg_get_serial_sequence('conversations_message', 'id')) FROM generate_series(1, %s)"
        with connection.cursor() as cursor:
            cursor.execute(statement, [count])
            return [key for (key,) in cursor.fetchall()]
    # The transaction keeps every other writer out, and SQLite counts on from the greatest key there ever was.
    newest = Message.objects.aggregate(newest=Max("pk"))["newest"] or 0
    return range(newest + 1, newest + 1 + count)
