"""Texts that the search index does not have: stored before there was one, or written past it. Found in small steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import BigIntegerField, Exists, ExpressionWrapper, OuterRef

from conversations.models import Conversation, Message, SearchEntry
from conversations.store.endings import lock_conversations
from conversations.store.indexing import index_texts
from conversations.words import words_of


@dataclass(frozen=True, slots=True)
class Step:
    """What lies after a key. looked_at: rows, 0 at the end;  last: the key of the last of them

    missing: (key of its entry, key of the conversation, text) of those that have words and no entry
    """

    looked_at: int
    last: int
    missing: Sequence[tuple[int, int, str]]


def messages_after(key: int, count: int) -> Step:
    entry = SearchEntry.objects.filter(pk=OuterRef("pk"))
    rows = Message.objects.filter(pk__gt=key).order_by("pk").annotate(known=Exists(entry))
    looked_at = list(rows.values_list("pk", "known")[:count])
    unknown = [pk for pk, known in looked_at if not known]
    texts = Message.objects.filter(pk__in=unknown).exclude(content="").order_by("pk")
    found = texts.values_list("pk", "conversation_id", "content")
    return Step(len(looked_at), looked_at[-1][0] if looked_at else key, [each for each in found if words_of(each[2])])


def titles_after(key: int, count: int) -> Step:
    """Titles that a person chose; the others are the beginning of a message."""
    entry = SearchEntry.objects.filter(pk=ExpressionWrapper(-OuterRef("pk"), BigIntegerField()))
    rows = Conversation.objects.filter(pk__gt=key).order_by("pk").annotate(known=Exists(entry))
    looked_at = list(rows[:count].values_list("pk", "known", "title", "opening"))
    found = [(-pk, pk, title) for pk, known, title, opening in looked_at if not known and title != opening]
    return Step(len(looked_at), looked_at[-1][0] if looked_at else key, [each for each in found if words_of(each[2])])


@transaction.atomic
def index_after(step: Callable[[int, int], Step], key: int, count: int) -> Step:
    """One step, with what was missing indexed.

    What is being erased meanwhile gets no entry: that is done under the locks of the conversations, too.
    """
    lock_conversations({conversation for _, conversation, _ in step(key, count).missing})
    found = step(key, count)
    index_texts(found.missing)
    return found
