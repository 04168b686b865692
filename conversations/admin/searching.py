"""What the search box finds."""

from __future__ import annotations

from django.db.models import QuerySet

from conversations.models import Conversation
from conversations.store.search import found_among_all
from conversations.words import wanted


def found_by(rows: QuerySet[Conversation], text: str, *, contents: bool) -> QuerySet[Conversation]:
    """Conversations by their whole id and, for those who may read contents, by the words of titles and messages."""
    if not text:
        return rows
    keys = set(Conversation.objects.filter(public_id=text).values_list("pk", flat=True))
    words = wanted(text) if contents else []
    if words:
        keys |= found_among_all(words)
    return rows.filter(pk__in=keys)
