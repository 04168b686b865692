"""Texts entered into the search index, in the transactions that write them; one statement for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conversations.database import own_connection
from conversations.models import SearchEntry
from conversations.store import statements
from conversations.words import words_of

STATEMENT = """
    INSERT INTO conversations_searchentry (id, conversation_id, owner_id, words)
    SELECT %s, c.id, c.owner_id, {words} FROM conversations_conversation c WHERE c.id = %s
    ON CONFLICT (id) DO NOTHING
"""
SQLITE = STATEMENT.format(words="%s")
POSTGRES = STATEMENT.format(
    words="array_to_tsvector(%s::text[] || CASE WHEN c.owner_id IS NULL THEN '{}' "
    "ELSE array(SELECT c.owner_id || unnest(%s::text[])) END)"
)


def index_texts(texts: Sequence[tuple[int, int, str]]) -> None:
    """Texts of messages: (key of the message, key of its conversation, text). What is known already stays."""
    statement, rows = _rows(texts)
    statements.run_many(statement, rows)


def index_title(conversation_pk: int, title: str, opening: str) -> None:
    """The title of a conversation; one that only repeats the first message needs no entry of its own."""
    SearchEntry.objects.filter(pk=-conversation_pk).delete()
    if title != opening:
        index_texts([(-conversation_pk, conversation_pk, title)])


def _rows(texts: Sequence[tuple[int, int, str]]) -> tuple[str, list[tuple[Any, ...]]]:
    postgres = own_connection().vendor == "postgresql"
    rows: list[tuple[Any, ...]] = []
    for key, conversation, text in texts:
        words = words_of(text)
        if words and postgres:
            lexemes = [f"§{word}" for word in words]
            rows.append((key, lexemes, lexemes, conversation))
        elif words:
            rows.append((key, " " + " ".join(words), conversation))
    return (POSTGRES if postgres else SQLITE), rows
