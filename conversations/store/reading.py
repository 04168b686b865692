"""Messages as callers may read them: by public id, within what is theirs."""

from __future__ import annotations

from conversations.models import Message
from conversations.refusals import NotThere
from conversations.store.paths import tail_to, utterances
from conversations.turns import CONTEXT_MESSAGES
from conversations.turns import context as newest_context
from providers.messages import Message as Utterance


def message_of(owner_id: int | None, public_id: str) -> Message:
    """One message with its conversation. Raises `NotThere`, also for another owner's."""
    message = Message.objects.owned_by(owner_id).select_related("conversation").filter(public_id=public_id).first()
    if message is None:
        raise NotThere("This message does not exist.")
    return message


def message_by_key(message_pk: int) -> Message | None:
    return Message.objects.filter(pk=message_pk).first()


def context_of(message_pk: int) -> list[Utterance]:
    """What goes upstream for a reply that had to wait: the path before it as it stands now."""
    parent = Message.objects.filter(pk=message_pk).values_list("parent_id", flat=True).first()
    path = tail_to(parent, CONTEXT_MESSAGES)
    return list(newest_context(utterances(path)))
