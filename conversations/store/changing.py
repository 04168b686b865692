"""What a person may change of a conversation or a message: its name, its place, the branch shown, an opinion."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from conversations.models import Conversation, Message
from conversations.refusals import NotThere, WrongMessage
from conversations.store.endings import lock_conversations
from conversations.store.indexing import index_title
from conversations.store.paths import newest_leaf, show_path_to
from conversations.store.reading import message_of


@transaction.atomic
def change(owner_id: int | None, public_id: str, changes: dict[str, Any]) -> Conversation:
    """Set `title` (None: the opening again) and `archived`. Raises `NotThere`."""
    rows = Conversation.objects.select_for_update().owned_by(owner_id)
    conversation = rows.filter(public_id=public_id).first()
    if conversation is None:
        raise NotThere("This conversation does not exist.")
    if "title" in changes:
        changes = {**changes, "title": changes["title"] or conversation.opening}
        index_title(conversation.pk, changes["title"], conversation.opening)
    if changes:
        Conversation.objects.filter(pk=conversation.pk).update(**changes)
    for name, value in changes.items():
        setattr(conversation, name, value)
    return conversation


@transaction.atomic
def activate(owner_id: int | None, public_id: str) -> Conversation:
    """Show the branch of a message, down to its newest leaf. Raises `NotThere`."""
    message = message_of(owner_id, public_id)
    lock_conversations({message.conversation_id})
    if not Message.objects.filter(pk=message.pk).exists():
        raise NotThere("This message does not exist.")
    show_path_to(message.conversation_id, newest_leaf(message.pk))
    return message.conversation


def give_feedback(owner_id: int | None, public_id: str, rating: str, comment: str) -> Message:
    """Replace a reply's feedback; "" is none. Raises `NotThere`, `WrongMessage`."""
    message = message_of(owner_id, public_id)
    if message.role != Message.Role.ASSISTANT:
        raise WrongMessage("Only an assistant's message can be given feedback.")
    if not Message.objects.filter(pk=message.pk).update(feedback_rating=rating, feedback_comment=comment):
        raise NotThere("This message does not exist.")
    message.feedback_rating, message.feedback_comment = rating, comment
    return message
