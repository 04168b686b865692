"""Replies that another process produces, read from the journal and, once they have ended, from their message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from conversations.models import Generation, JournalEntry, Message
from conversations.store.journalled import joined


@dataclass(frozen=True, slots=True)
class News:
    """What has become of a followed reply.

    text:       what the journal holds after the entry last seen, with the position where it begins
    last_entry: the newest entry seen
    ended:      the message, where it has ended; its content is the whole text
    gone:       the message does not exist any more
    """

    text: str
    position: int
    last_entry: int
    model: str
    ended: Message | None = None
    gone: bool = False


def producer_of(message_pk: int) -> UUID | None:
    """The worker that produces this reply, None where it has ended."""
    return Generation.objects.filter(pk=message_pk).values_list("worker_id", flat=True).first()


def news_of(followed: Mapping[int, int]) -> dict[int, News]:
    """followed: key -> newest entry seen. Replies without news are left out.

    The journal is read before the question whether a reply has ended: so what it held is never missed.
    """
    entries: dict[int, list[JournalEntry]] = {}
    oldest = min(followed.values(), default=0)
    rows = JournalEntry.objects.filter(message_id__in=followed, id__gt=oldest).order_by("id")
    for entry in rows:
        if entry.pk > followed[entry.message_id]:
            entries.setdefault(entry.message_id, []).append(entry)
    running = set(Generation.objects.filter(pk__in=followed).values_list("pk", flat=True))
    ended = {message.pk: message for message in Message.objects.filter(pk__in=followed.keys() - running)}
    models = dict(Message.objects.filter(pk__in=entries.keys() & running).values_list("pk", "model"))
    news = {}
    for key, last_seen in followed.items():
        if key in running and key not in entries:
            continue
        found = entries.get(key, [])
        news[key] = News(
            text=joined((entry.position, entry.text) for entry in found),
            position=found[0].position if found else 0,
            last_entry=found[-1].pk if found else last_seen,
            model=models.get(key, ""),
            ended=ended.get(key),
            gone=key not in running and key not in ended,
        )
    return news
