"""Conversations by words: each must begin a word of the title or of a message, whichever, in any branch.

A search reads a bounded part of what is stored. A word that occurs in few messages is looked up in the full-text
index. Where all words are common, the conversations themselves are walked through, newest first, and each is asked
whether it has them. Every word is looked up within what its owner wrote, the index having each word with its owner.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from conversations.models import Conversation

CANDIDATES = 1000
"""A word that occurs in so many messages is common."""

SHORT = 3
"""Beginnings of so many characters are likely to be common: walking is tried first."""

NEWEST = 1000
"""Conversations that are walked through for somebody who searches among everybody's."""

FIND_SQLITE = """
    SELECT e.conversation_id
    FROM (SELECT rowid FROM conversations_searchindex WHERE conversations_searchindex MATCH %s LIMIT %s) f
    JOIN conversations_searchentry e ON e.id = f.rowid
"""
FIND_POSTGRES = "SELECT conversation_id FROM conversations_searchentry WHERE words @@ %s::tsquery LIMIT %s"


def rare(words: Sequence[str], owner_id: int | None) -> set[int] | None:
    """Keys of all conversations that have all words; None where every word is common.

    words:    as `words.wanted` makes them
    owner_id: whose conversations; None: everybody's
    """
    for word in words:
        found = _with(word, owner_id)
        if found is not None:
            return having([other for other in words if other != word], found)
    return None


def having(words: Sequence[str], conversations: Collection[int]) -> set[int]:
    """Those of these conversations that have all words."""
    if not words or not conversations:
        return set(conversations)
    postgres = connection.vendor == "postgresql"
    test = "bool_or(words @@ %s::tsquery)" if postgres else "max(instr(words, %s) > 0)"
    statement = (
        # Only a fixed text is repeated as often as there are parameters.
        f"SELECT conversation_id FROM conversations_searchentry "  # noqa: S608
        f"WHERE conversation_id IN ({', '.join(['%s'] * len(conversations))}) "
        f"GROUP BY conversation_id HAVING {' AND '.join([test] * len(words))}"
    )
    tests = [_tsquery(f"§{word}") if postgres else f" {word}" for word in words]
    return {key for (key,) in _select(statement, [*conversations, *tests])}


@dataclass(frozen=True, slots=True)
class Found:
    """Keys of conversations. whole: False where only the `NEWEST` conversations were looked through"""

    keys: set[int]
    whole: bool


def found_among_all(words: Sequence[str], enough: int) -> Found:
    """Anybody's conversations that have all words; of common words those among the newest conversations.

    enough: so many are as good as all, where all would have to be gathered from very many
    """
    short = max(map(len, words)) <= SHORT
    newest = _among_newest(words) if short else None
    if newest is not None and (newest.whole or len(newest.keys) >= enough):
        return newest
    keys = rare(words, None)
    return Found(keys, True) if keys is not None else newest or _among_newest(words)


def _among_newest(words: Sequence[str]) -> Found:
    newest = list(Conversation.objects.recent().values_list("pk", flat=True)[:NEWEST])
    return Found(having(words, newest), whole=len(newest) < NEWEST)


def _with(word: str, owner_id: int | None) -> set[int] | None:
    """Keys of the conversations with a word that begins so; None where that is common."""
    token = f"{'' if owner_id is None else owner_id}§{word}"
    if connection.vendor == "postgresql":
        rows = _select(FIND_POSTGRES, [_tsquery(token), CANDIDATES])
    else:
        # All that begins so has to be gathered first; the word itself need not be, and if common it is so quickly.
        rows = _select(FIND_SQLITE, [f'"{token}"', CANDIDATES])
        if len(rows) < CANDIDATES:
            rows = _select(FIND_SQLITE, [f'"{token}"*', CANDIDATES])
    return {key for (key,) in rows} if len(rows) < CANDIDATES else None


def _tsquery(token: str) -> str:
    """A token has letters, digits, marks and `§` only: nothing in it could be an operator."""
    return f"'{token}':*"


def _select(statement: str, parameters: Sequence[Any]) -> list[tuple[int]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()
