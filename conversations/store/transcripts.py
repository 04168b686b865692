"""Pages of a conversation as those who look after it read it: any branch, and the attempts that came to nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from django.db.models import Q
from django.db.models.expressions import RawSQL

from conversations.models import Attempt, Message, Status
from conversations.models.message import MessageQuerySet
from conversations.store.histories import streamed_of
from conversations.store.paths import SHOWN, WAY, newest_leaf

Row = TypeVar("Row")

PAGE = 100
BEFORE_TARGET = 20
"""Messages shown above the one that was asked for."""

EMPTY = Q(role="assistant", content="") & ~Q(status=Status.STREAMING)
"""Replies that ended without text. No path shows them, but their errors are what support is asked about."""

EMPTY_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Transcript:
    """A page, oldest first.

    leaf:         key of the last message of the path shown; None: the active path
    alternatives: per key the keys of the messages beside it, itself included, oldest first
    streamed:     per key of a reply under way its text so far
    empty:        per key of a parent the replies to it that ended without text
    attempts:     per key of a reply what was tried for it
    """

    messages: Sequence[Message] = ()
    leaf: int | None = None
    older: bool = False
    newer: bool = False
    alternatives: Mapping[int, Sequence[int]] = field(default_factory=dict)
    streamed: Mapping[int, str] = field(default_factory=dict)
    empty: Mapping[int, Sequence[Message]] = field(default_factory=dict)
    attempts: Mapping[int, Sequence[Attempt]] = field(default_factory=dict)


def newest(conversation_pk: int, leaf: int | None = None, before: int | None = None) -> Transcript:
    """The last page of a path, or the one before a message."""
    rows = _path(conversation_pk, leaf)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows.order_by("-pk")[: PAGE + 1])
    return _filled(found[:PAGE][::-1], leaf, older=len(found) > PAGE, newer=before is not None)


def after(conversation_pk: int, key: int, leaf: int | None = None) -> Transcript:
    """The page after a message."""
    found = list(_path(conversation_pk, leaf).filter(pk__gt=key).order_by("pk")[: PAGE + 1])
    return _filled(found[:PAGE], leaf, older=True, newer=len(found) > PAGE)


def around(conversation_pk: int, key: int) -> Transcript:
    """The page that shows a message, on the path through it; the newest where there is no such message."""
    row = Message.objects.filter(conversation_id=conversation_pk, pk=key).values_list("active", "parent_id").first()
    if row is None:
        return newest(conversation_pk)
    leaf = None if row[0] else newest_leaf(key)
    path = _path(conversation_pk, leaf)
    above = list(path.filter(pk__lt=key).order_by("-pk")[: BEFORE_TARGET + 1])
    below = list(path.filter(pk__gte=key).order_by("pk")[: PAGE - BEFORE_TARGET + 1])
    shown = [*above[:BEFORE_TARGET][::-1], *below[: PAGE - BEFORE_TARGET]]
    return _filled(shown, leaf, older=len(above) > BEFORE_TARGET, newer=len(below) > PAGE - BEFORE_TARGET)


def news(conversation_pk: int, key: int, streaming: Collection[int], leaf: int | None = None) -> Transcript:
    """What came after a message on a path, and how some replies stand that were under way."""
    rows = Message.objects.filter(conversation_id=conversation_pk)
    wanted = list(_path(conversation_pk, leaf).filter(pk__gt=key).order_by("pk")[:PAGE])
    known = {message.pk for message in wanted}
    watched = list(rows.filter(pk__in=[each for each in streaming if each not in known]).order_by("pk"))
    return _filled([*watched, *wanted], leaf)


def still_shown(conversation_pk: int, key: int) -> bool:
    """Whether a message is on the active path, or has only ended without text; else another branch was chosen."""
    rows = Message.objects.filter(conversation_id=conversation_pk, pk=key)
    return rows.filter(Q(active=True) | EMPTY).exists()


def _path(conversation_pk: int, leaf: int | None) -> MessageQuerySet:
    rows = Message.objects.filter(conversation_id=conversation_pk)
    if leaf is None:
        return rows.filter(active=True)
    return rows.filter(SHOWN, pk__in=RawSQL(WAY, [leaf, 0]))  # noqa: S611  (its parameters are keys)


def _filled(messages: Sequence[Message], leaf: int | None, *, older: bool = False, newer: bool = False) -> Transcript:
    """What belongs to these messages, in a constant number of queries."""
    if not messages:
        return Transcript(leaf=leaf, older=older, newer=newer)
    users = [message.pk for message in messages if message.role == Message.Role.USER]
    empty = _grouped(Message.objects.filter(EMPTY, parent_id__in=users).order_by("pk")[:EMPTY_SHOWN], "parent_id")
    replies = [message.pk for message in messages if message.role == Message.Role.ASSISTANT]
    replies += [message.pk for each in empty.values() for message in each]
    return Transcript(
        messages,
        leaf,
        older=older,
        newer=newer,
        alternatives=_alternatives(messages),
        streamed=streamed_of(messages),
        empty=empty,
        attempts=_grouped(Attempt.objects.filter(message_id__in=replies).order_by("pk"), "message_id"),
    )


def _alternatives(messages: Sequence[Message]) -> Mapping[int, Sequence[int]]:
    parents = {message.parent_id for message in messages if message.parent_id is not None}
    roots = {message.conversation_id for message in messages if message.parent_id is None}
    among = Q(parent_id__in=parents) | Q(parent_id=None, conversation_id__in=roots)
    families: dict[tuple[int | None, str], list[int]] = {}
    rows = Message.objects.filter(SHOWN, among).order_by("pk")
    for parent, role, key in rows.values_list("parent_id", "role", "pk"):
        families.setdefault((parent, role), []).append(key)
    return {message.pk: families.get((message.parent_id, message.role), ()) for message in messages}


def _grouped(rows: Iterable[Row], name: str) -> dict[int, list[Row]]:
    groups: dict[int, list[Row]] = {}
    for row in rows:
        groups.setdefault(getattr(row, name), []).append(row)
    return groups
