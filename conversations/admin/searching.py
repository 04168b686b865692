"""What the search box finds."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from conversations.models import Conversation
from conversations.store.search import NEWEST, found_among_all
from conversations.words import wanted

ENOUGH = 50
"""Conversations: a page of the list."""

INCOMPLETE = (
    f"So many conversations have these words that only the newest {NEWEST:,} were looked through. "
    "A rarer word finds older ones too."
)


@dataclass(frozen=True, slots=True)
class Findings:
    """Keys of conversations. note: what whoever searches should know, if anything"""

    keys: Collection[int]
    note: str = ""


def found_by(text: str, *, contents: bool) -> Findings:
    """Conversations by their whole id and, for those who may read contents, by the words of titles and messages."""
    keys = set(Conversation.objects.filter(public_id=text).values_list("pk", flat=True))
    words = wanted(text) if contents else []
    if not words:
        return Findings(keys)
    found = found_among_all(words, ENOUGH)
    return Findings(keys | found.keys, "" if found.whole else INCOMPLETE)
