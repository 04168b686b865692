"""Conversations from elsewhere, each written whole in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.db import IntegrityError, transaction

from conversations.models import Conversation, Message
from conversations.store.begin import TITLE_LENGTH
from conversations.store.indexing import index_texts, index_title

AT_ONCE = 200
"""Rows in one statement."""


def add(conversation: Conversation, messages: Sequence[Message], parents: Sequence[int | None]) -> bool:
    """Write them; False where the owner has a conversation of that id already, which stays as it is.

    conversation: without what follows from its messages
    parents:      per message the index in `messages` of the one before it
    """
    if _exists(conversation):
        return False
    _summarise(conversation, messages)
    try:
        with transaction.atomic():
            _write(conversation, messages, parents)
    except IntegrityError:
        if _exists(conversation):  # somebody was quicker
            return False
        raise
    return True


def taken_ids(ids: Sequence[str]) -> set[str]:
    """Those ids that messages have already."""
    rows = Message.objects.all()
    parts = [ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE)]
    return {name for part in parts for name in rows.filter(public_id__in=part).values_list("public_id", flat=True)}


def _exists(conversation: Conversation) -> bool:
    rows = Conversation.objects.owned_by(conversation.owner_id)
    return rows.filter(public_id=conversation.public_id).exists()


def _write(conversation: Conversation, messages: Sequence[Message], parents: Sequence[int | None]) -> None:
    conversation.save(force_insert=True)
    for message in messages:
        message.conversation = conversation
    # Keys are given in this order, so that they grow from parents to children.
    Message.objects.bulk_create(messages, batch_size=AT_ONCE)
    children = [message for message, parent in zip(messages, parents, strict=True) if parent is not None]
    for message, parent in zip(messages, parents, strict=True):
        if parent is not None:
            message.parent_id = messages[parent].pk
    Message.objects.bulk_update(children, ["parent_id"], batch_size=AT_ONCE)
    index_texts([(message.pk, conversation.pk, message.content) for message in messages if message.content])
    index_title(conversation.pk, conversation.title, conversation.opening)


def _summarise(conversation: Conversation, messages: Sequence[Message]) -> None:
    """The columns that spare lists the messages, as turns of our own would have left them."""
    first = _first(messages, lambda message: message.role == Message.Role.USER)
    newest = _first(messages[::-1], lambda message: message.role == Message.Role.ASSISTANT)
    serving = _first(messages[::-1], lambda message: bool(message.model))
    conversation.opening = " ".join(first.content.split())[:TITLE_LENGTH].rstrip() if first else ""
    conversation.title = conversation.title or conversation.opening
    conversation.message_count = sum(bool(message.content) or message.role == Message.Role.USER for message in messages)
    conversation.input_tokens = sum(message.input_tokens or 0 for message in messages)
    conversation.output_tokens = sum(message.output_tokens or 0 for message in messages)
    conversation.last_status = newest.status if newest else ""
    if serving:
        conversation.last_provider, conversation.last_model = serving.provider, serving.model


def _first(messages: Sequence[Message], wanted: Callable[[Message], bool]) -> Message | None:
    return next((message for message in messages if wanted(message)), None)
