"""What whoever watches conversations has to read: whether they changed, and what has."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, Q, Subquery

from conversations.models import Conversation, Message, Status
from conversations.store.histories import Page, filled, parents_of

WINDOW = 50
"""The newest messages of a conversation that are watched, and that a snapshot has."""

AT_ONCE = 250
"""Conversations in one query."""

Name = tuple[int | None, str]
"""A conversation's owner and public id: what is known of one that may not exist yet."""

Mark = tuple[Any, ...]
"""Differs whenever a conversation shows something else.

Each beginning and end of a reply changes when the conversation was last active, how many messages it has or its last
status; each change of the active path changes the newest message of that.
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What has become of a conversation since somebody looked.

    mark:    as it was before the rest was read, so that what changed meanwhile is noticed the next time
    shown:   key -> status of the newest messages of the active path, oldest first
    left:    whether a message that was shown is no longer on the active path
    page:    the messages that are new or whose status changed; all that are shown where that was asked for
    parents: key -> public id, of their parents
    """

    mark: Mark
    shown: Mapping[int, str]
    left: bool
    page: Page
    parents: Mapping[int, str]


def found(names: Collection[Name]) -> dict[Name, int]:
    """Those of these conversations that exist, with their keys."""
    keys: dict[Name, int] = {}
    for batch in _batches(names):
        among = Q()
        for owner_id in {owner_id for owner_id, _ in batch}:
            ids = [public_id for owner, public_id in batch if owner == owner_id]
            among |= Q(owner_id=owner_id, public_id__in=ids) if owner_id else Q(owner__isnull=True, public_id__in=ids)
        rows = Conversation.objects.filter(among).values_list("owner_id", "public_id", "pk")
        keys |= {(owner_id, public_id): key for owner_id, public_id, key in rows}
    return keys


def marks(conversations: Collection[int]) -> dict[int, Mark]:
    """How these conversations stand; those that are gone are left out."""
    newest = Message.objects.filter(conversation_id=OuterRef("pk"), active=True).order_by("-pk").values("pk")[:1]
    standing: dict[int, Mark] = {}
    for batch in _batches(conversations):
        rows = Conversation.objects.filter(pk__in=batch)
        columns = ("pk", "last_activity_at", "message_count", "last_status", Subquery(newest))
        standing |= {key: tuple(mark) for key, *mark in rows.values_list(*columns)}
    return standing


def seen(conversation_pk: int, known: Mapping[int, str], *, everything: bool) -> Seen | None:
    """Compare a conversation with what is known of it (key -> status); None where it is gone."""
    mark = marks([conversation_pk]).get(conversation_pk)
    if mark is None:
        return None
    messages = Message.objects.filter(conversation_id=conversation_pk)
    newest = messages.filter(active=True).order_by("-pk").values_list("pk", "status")[:WINDOW]
    shown = dict(reversed(newest))
    missing = known.keys() - shown.keys()
    further_up = set(messages.filter(pk__in=missing, active=True).values_list("pk", flat=True)) if missing else set()
    out_of_order = any(key not in known and key < max(known, default=0) for key in shown)
    left = out_of_order or bool(missing - further_up)
    wanted = {key for key, status in shown.items() if everything or left or known.get(key) != status}
    # A reply that streamed may have ended without text, or further up; its end is news as well.
    wanted |= {key for key in missing if known[key] == Status.STREAMING}
    page = filled(list(messages.filter(pk__in=wanted).order_by("pk"))) if wanted else Page((), {}, {})
    return Seen(mark, shown, left, page, parents_of(page.messages))


def _batches(items: Collection[Any]) -> list[list[Any]]:
    listed = list(items)
    return [listed[start : start + AT_ONCE] for start in range(0, len(listed), AT_ONCE)]
