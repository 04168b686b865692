"""A whole conversation, all branches and what its model was told, read in bounded steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from conversations.models import Message
from conversations.store.histories import parents_of, streamed_of

CHUNK = 200


@dataclass(frozen=True, slots=True)
class Part:
    """Messages in the order they were written; per key of a parent its public id; text that still streams."""

    messages: Sequence[Message]
    parents: Mapping[int, str]
    streamed: Mapping[int, str]


def part_after(conversation_pk: int, key: int) -> Part:
    """The next messages after a key (0: from the start); none: that was the end."""
    rows = Message.objects.filter(conversation_id=conversation_pk, pk__gt=key).order_by("pk")
    messages = list(rows[:CHUNK])
    return Part(messages, parents_of(messages), streamed_of(messages))
