"""An owner's conversations, newest activity first, in pages; all of them or those with certain words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, TextField
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast

from conversations.models import Conversation
from conversations.models.conversation import ConversationQuerySet
from conversations.store import search

WALKED = 400
"""Conversations that one page of a search for common words walks through, after twice as many as it shows."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the list: after the conversation `pk` as it was at `moment`.

    moment: the time of its last activity as the database writes it; read and written as a datetime it would not
            compare the same on SQLite
    """

    moment: str
    pk: int


@dataclass(frozen=True, slots=True)
class Listed:
    """One page. next: where the following one begins; None: there is none, else it may turn out empty."""

    conversations: Sequence[Conversation]
    next: Position | None


def page(owner_id: int, limit: int, *, archived: bool, words: Sequence[str] | None, after: Position | None) -> Listed:
    """At most `limit` conversations. words: as `words.wanted` makes them; None: all conversations."""
    # `archived=False` would ask for `NOT archived`, which SQLite does not look up in an index.
    rows = Conversation.objects.owned_by(owner_id).filter(archived__in=(archived,)).recent()
    rows = rows.annotate(moment=Cast("last_activity_at", TextField()))
    if after is not None:
        rows = _after(rows, after)
    if words is None:
        return _cut(rows[: limit + 1], limit)
    return _searched(rows, owner_id, limit, words) if words else Listed((), None)


def _after(rows: ConversationQuerySet, position: Position) -> ConversationQuerySet:
    moment = RawSQL("%s", [position.moment])
    before = Q(last_activity_at__lt=moment) | Q(last_activity_at=moment, pk__lt=position.pk)
    # The first condition alone can be looked up in the list's index.
    return rows.filter(last_activity_at__lte=moment).filter(before)


def _searched(rows: ConversationQuerySet, owner_id: int, limit: int, words: Sequence[str]) -> Listed:
    if len(words[0]) <= search.SHORT:
        found, last = _walk(rows, words, 2 * limit)
        if last is None or len(found) > limit:
            return _cut(found, limit)
    keys = search.rare(words, owner_id)
    if keys is not None:
        return _cut(rows.filter(pk__in=keys)[: limit + 1], limit)
    return _walked(rows, limit, words)


def _walked(rows: ConversationQuerySet, limit: int, words: Sequence[str]) -> Listed:
    """A page of what is common: as much as a walk of bounded length finds."""
    found, last = _walk(rows, words, 2 * limit)
    if last is not None and len(found) <= limit:
        more, last = _walk(_after(rows, last), words, WALKED)
        found += more
    return _cut(found, limit) if last is None or len(found) > limit else Listed(found, last)


def _walk(rows: ConversationQuerySet, words: Sequence[str], length: int) -> tuple[list[Conversation], Position | None]:
    """Those of the next conversations that have all words, and where the walk ended; None: at the end of the list."""
    walked = list(rows[:length])
    keys = search.having(words, [each.pk for each in walked])
    found = [each for each in walked if each.pk in keys]
    return found, _position(walked[-1]) if len(walked) == length else None


def _cut(found: Sequence[Conversation] | ConversationQuerySet, limit: int) -> Listed:
    """found: more than `limit`, where there are more"""
    listed = list(found)
    return Listed(listed[:limit], _position(listed[limit - 1]) if len(listed) > limit else None)


def _position(conversation: Conversation) -> Position:
    return Position(conversation.moment, conversation.pk)  # type: ignore[attr-defined]
