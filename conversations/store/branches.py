"""Where in the tree of a conversation a turn goes, and what it adds there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from conversations.models import Conversation, IdempotencyKey, Message
from conversations.refusals import InvalidTurn, NotThere, WrongMessage
from conversations.store.paths import active_tail, tail_to, user_texts_to, utterances
from conversations.turns import (
    CONTEXT_MESSAGES,
    DefaultParent,
    NothingNewError,
    StoredPath,
    Turn,
    new_messages,
)
from providers.messages import Message as Utterance


@dataclass(frozen=True, slots=True)
class Branch:
    """The place of a turn.

    path:               the stored messages before it that go upstream, oldest first
    new:                the messages it adds; empty: the last of `path` is answered
    parent:             key of the message under which `new`, or else the reply, goes
    leaves_active_path: whether `parent` is not the newest of the active path
    previous_leaf:      what was shown, to be shown again should the reply end without text
    provider:           the one asked for, else the one that the target suggests
    opens:              whether the conversation is to be created
    """

    path: Sequence[Utterance]
    new: Sequence[Utterance]
    parent: int | None
    leaves_active_path: bool = False
    previous_leaf: int | None = None
    provider: str | None = None
    opens: bool = False


def branch_of(turn: Turn, conversation: Conversation | None, released: IdempotencyKey | None = None) -> Branch:
    """Find the turn's place. Raises `InvalidTurn`, `NotThere`, `WrongMessage`."""
    if released is not None and turn.kind != "regenerate" and (again := _answer_again(turn, conversation, released)):
        return again
    if turn.kind == "messages":
        return _going_on(turn, conversation if turn.conversation_id is not None else None)
    if conversation is None:
        raise NotThere("This message does not exist.")
    target = conversation.messages.get(public_id=turn.target_id)
    return (
        _regenerated(turn, conversation, target) if turn.kind == "regenerate" else _edited(turn, conversation, target)
    )


def _going_on(turn: Turn, conversation: Conversation | None) -> Branch:
    tail, on_active_path = _tail(turn, conversation)
    texts = _user_texts(turn, conversation if on_active_path else None, tail)
    try:
        new = new_messages(StoredPath(texts, _unanswered(tail)), turn.messages)
    except NothingNewError as error:
        raise InvalidTurn(str(error)) from error
    parent = tail[-1].pk if tail else None
    leaf = _leaf(conversation) if not on_active_path else parent
    return Branch(
        utterances(tail),
        new,
        parent,
        leaves_active_path=parent != leaf,
        previous_leaf=leaf if not new and parent != leaf else None,
        provider=turn.provider,
        opens=conversation is None,
    )


def _tail(turn: Turn, conversation: Conversation | None) -> tuple[list[Message], bool]:
    """The path that the turn continues, and whether that is the active one as a whole."""
    if isinstance(turn.parent_id, DefaultParent):
        return (active_tail(conversation.pk, CONTEXT_MESSAGES) if conversation else []), True
    if turn.parent_id is None:
        return [], False
    parent = conversation and conversation.messages.filter(public_id=turn.parent_id, role="assistant").first()
    if not parent:
        raise InvalidTurn("parent_id must be the id of an assistant's message of this conversation.")
    return tail_to(parent.pk, CONTEXT_MESSAGES), False


def _user_texts(turn: Turn, conversation: Conversation | None, tail: Sequence[Message]) -> Sequence[str] | None:
    """Texts of the path's user messages; None where there are at least as many as the request has messages.

    conversation: the one whose active path it is, None where it is another way through it
    """
    if len(tail) < CONTEXT_MESSAGES:
        return [message.content for message in tail if message.role == "user"]
    count = len(turn.messages)
    if conversation is None:
        texts = user_texts_to(tail[-1].pk, count)
    else:
        users = conversation.messages.history().filter(role="user")
        texts = list(users.values_list("content", flat=True)[:count])
    return None if len(texts) == count else texts


def _unanswered(tail: Sequence[Message]) -> Sequence[str]:
    texts: list[str] = []
    for message in reversed(tail):
        if message.role != "user":
            break
        texts.append(message.content)
    return texts[::-1]


def _answer_again(turn: Turn, conversation: Conversation | None, released: IdempotencyKey) -> Branch | None:
    """The same request once more after a turn that ended unanswered: its user's message, while that is the newest."""
    question = released.message.parent
    if conversation is None or question is None or question.conversation_id != conversation.pk:
        return None
    followed = Q(parent=question, role="user") | Q(parent__parent=question)
    if conversation.messages.filter(followed).exists():
        return None
    leaf = _leaf(conversation)
    return Branch(
        utterances(tail_to(question.pk, CONTEXT_MESSAGES)),
        (),
        question.pk,
        leaves_active_path=question.pk != leaf,
        previous_leaf=leaf if question.pk != leaf else None,
        provider=turn.provider or (released.message.requested_provider if turn.kind == "edit" else None),
    )


def _regenerated(turn: Turn, conversation: Conversation, reply: Message) -> Branch:
    if reply.role != "assistant":
        raise WrongMessage("Only an assistant's message can be regenerated.")
    if reply.parent_id is None:
        raise WrongMessage("This reply answers no message, so it cannot be regenerated.")
    return Branch(
        utterances(tail_to(reply.parent_id, CONTEXT_MESSAGES)),
        (),
        reply.parent_id,
        leaves_active_path=True,
        previous_leaf=_leaf(conversation),
        provider=turn.provider or reply.provider or reply.requested_provider or None,
    )


def _edited(turn: Turn, conversation: Conversation, message: Message) -> Branch:
    if message.role != "user":
        raise WrongMessage("Only a user's message can be edited.")
    answer = message.children.filter(role="assistant").order_by("-id").first()
    suggested = (answer.provider or answer.requested_provider) if answer else ""
    return Branch(
        utterances(tail_to(message.parent_id, CONTEXT_MESSAGES)),
        tuple(turn.messages),
        message.parent_id,
        leaves_active_path=True,
        provider=turn.provider or suggested or None,
    )


def _leaf(conversation: Conversation | None) -> int | None:
    if conversation is None:
        return None
    return conversation.messages.filter(active=True).order_by("-id").values_list("id", flat=True).first()
