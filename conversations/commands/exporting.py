"""Conversations as lines of a file, in the shape of the API's download with the owner's name in front."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from conversations.api.export import json_beginning, json_message
from conversations.models import Conversation
from conversations.models.conversation import ConversationQuerySet
from conversations.store.exporting import part_after

READ_AT_ONCE = 100


def in_steps(rows: ConversationQuerySet) -> Iterator[Conversation]:
    """All of them by key, few at a time: nothing is held open while they are worked on."""
    key = 0
    while found := list(rows.filter(pk__gt=key).select_related("owner").order_by("pk")[:READ_AT_ONCE]):
        yield from found
        key = found[-1].pk


def line(conversation: Conversation) -> Iterator[bytes]:
    """One conversation in pieces, which together are one line of JSON."""
    owner = conversation.owner.get_username() if conversation.owner is not None else None
    yield b'{"owner":' + msgspec.json.encode(owner) + b"," + json_beginning(conversation)[1:]
    separator, part = b"", part_after(conversation.pk, 0)
    while part.messages:
        for message in part.messages:
            yield separator + json_message(conversation, message, part)
            separator = b","
        part = part_after(conversation.pk, part.messages[-1].pk)
    yield b"]}\n"
