"""Pages of a conversation's history and the alternatives to what they show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q

from conversations.models import Conversation, JournalEntry, Message, Status
from conversations.refusals import InvalidTurn, NotThere
from conversations.store.journalled import joined
from conversations.store.paths import SHOWN

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Page:
    """Messages oldest first; per key the public ids of its alternatives, itself included; text that still streams."""

    messages: Sequence[Message]
    siblings: Mapping[int, Sequence[str]]
    streamed: Mapping[int, str]


def conversation_of(owner_id: int | None, public_id: str) -> Conversation:
    """Raises `NotThere`, also for another owner's."""
    conversation = Conversation.objects.owned_by(owner_id).filter(public_id=public_id).first()
    if conversation is None:
        raise NotThere("This conversation does not exist.")
    return conversation


def page(owner_id: int | None, public_id: str, limit: int, before: str | None) -> Page:
    """The newest `limit` messages, or those before a message of this conversation. Raises `InvalidTurn`, `NotThere`."""
    conversation = conversation_of(owner_id, public_id)
    rows = Message.objects.filter(conversation=conversation, active=True)
    if before is not None:
        key = Message.objects.filter(conversation=conversation, public_id=before).values_list("pk", flat=True).first()
        if key is None:
            raise InvalidTurn("before must be the id of a message of this conversation.")
        rows = rows.filter(pk__lt=key)
    return filled(list(reversed(rows.order_by("-pk")[:limit])))


def chunk_after(conversation_pk: int, key: int) -> Page:
    """The next `CHUNK` messages after a key: a whole history is read in such steps, in bounded memory."""
    rows = Message.objects.filter(conversation_id=conversation_pk, active=True, pk__gt=key).order_by("pk")
    return filled(list(rows[:CHUNK]))


def filled(messages: Sequence[Message]) -> Page:
    """What belongs to these messages besides themselves, in a constant number of queries."""
    return Page(messages, siblings_of(messages), streamed_of(messages))


def siblings_of(messages: Sequence[Message]) -> Mapping[int, Sequence[str]]:
    """Alternatives that can be shown: messages of the same role under the same parent, oldest first."""
    parents = {message.parent_id for message in messages if message.parent_id is not None}
    roots = {message.conversation_id for message in messages if message.parent_id is None}
    if not parents and not roots:
        return {}
    among = Q(parent_id__in=parents) | Q(parent_id=None, conversation_id__in=roots)
    families: dict[tuple[int | None, int, str], list[str]] = {}
    rows = Message.objects.filter(SHOWN, among).order_by("pk")
    for parent, conversation, role, public_id in rows.values_list("parent_id", "conversation_id", "role", "public_id"):
        families.setdefault((parent, conversation, role), []).append(public_id)
    return {
        message.pk: families.get((message.parent_id, message.conversation_id, message.role), ()) for message in messages
    }


def streamed_of(messages: Sequence[Message]) -> Mapping[int, str]:
    """Text so far of those that still stream, as far as the journal has it."""
    streaming = [message.pk for message in messages if message.status == Status.STREAMING]
    if not streaming:
        return {}
    pieces: dict[int, list[tuple[int, str]]] = {key: [] for key in streaming}
    entries = JournalEntry.objects.filter(message_id__in=streaming).order_by("pk")
    for key, position, text in entries.values_list("message_id", "position", "text"):
        pieces[key].append((position, text))
    return {key: joined(found) for key, found in pieces.items()}


def parents_of(messages: Sequence[Message]) -> Mapping[int, str]:
    """Key of a parent -> its public id."""
    keys = {message.parent_id for message in messages if message.parent_id is not None}
    return dict(Message.objects.filter(pk__in=keys).values_list("pk", "public_id"))
