"""What a turn is, and what the messages of a request add to a stored conversation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from providers.messages import Message

OnBusy = Literal["wait", "reject", "interrupt"]
OnDisconnect = Literal["continue", "cancel"]
Kind = Literal["messages", "regenerate", "edit"]

CONTEXT_MESSAGES = 50
"""The most messages of a stored conversation that go upstream, as the contract limits them."""


class DefaultParent:
    """The newest message of the active path, where a request names no parent."""


DEFAULT_PARENT = DefaultParent()


@dataclass(frozen=True, slots=True)
class Claim:
    """An `Idempotency-Key` and what it stands for.

    scope: whose key it is; route: both mounts are one; body_hash: SHA-256 of the parsed body, hex
    """

    scope: str
    key: str
    route: str
    body_hash: str


@dataclass(frozen=True, slots=True)
class Turn:
    """A request for a stored reply, validated as far as that goes without the database.

    kind:            `messages`: a conversation goes on; `regenerate`, `edit`: at the message `target_id`
    owner_id:        None: without an owner
    conversation_id: None: a new one is made; ignored where there is a target
    messages:        without the `system` ones, which are in `instructions` (None: the conversation's are kept)
    provider:        None: the default and what may stand in for it
    parent_id:       public id, None for a new beginning, or `DEFAULT_PARENT`
    """

    owner_id: int | None
    conversation_id: str | None = None
    messages: Sequence[Message] = ()
    provider: str | None = None
    instructions: str | None = None
    parent_id: str | DefaultParent | None = DEFAULT_PARENT
    on_busy: OnBusy = "wait"
    on_disconnect: OnDisconnect = "continue"
    claim: Claim | None = None
    request_id: str = ""
    kind: Kind = "messages"
    target_id: str = ""


@dataclass(frozen=True, slots=True)
class StoredPath:
    """What has to be known of a path to tell what is new.

    user_texts: texts of its user messages, oldest first; None where there are more than the request has messages
    unanswered: the texts of those after the last reply that has text or is under way
    """

    user_texts: Sequence[str] | None
    unanswered: Sequence[str]


class NothingNewError(ValueError):
    """The request adds nothing, and there is no unanswered message either; or what it adds cannot be answered."""


def new_messages(path: StoredPath, sent: Sequence[Message]) -> Sequence[Message]:
    """The part of `sent` that the stored path does not have; empty: its last message, unanswered, is answered.

    Raises `NothingNewError`. The rules are those of the published wire: a whole list or only what is new.
    """
    if path.user_texts is not None and not path.user_texts:
        new = sent
    elif _is_whole_list(path, sent):
        new = sent[len(path.user_texts or ()) :]
    else:
        new = _after_last_reply(sent)
        new = new[_repeated(path.unanswered, new) :]
    if new and new[-1].role != "user":
        raise NothingNewError("The last new message must be a user's.")
    if not new and not path.unanswered:
        raise NothingNewError("The messages add nothing to the stored conversation: there is nothing new to answer.")
    return new


def _is_whole_list(path: StoredPath, sent: Sequence[Message]) -> bool:
    if path.user_texts is None or len(sent) <= len(path.user_texts):
        return False
    if any(message.role == "assistant" for message in sent):
        return False
    return all(message.content == text for message, text in zip(sent, path.user_texts, strict=False))


def _after_last_reply(sent: Sequence[Message]) -> Sequence[Message]:
    for index in range(len(sent) - 1, -1, -1):
        if sent[index].role == "assistant":
            return sent[index + 1 :]
    return sent


def _repeated(unanswered: Sequence[str], new: Sequence[Message]) -> int:
    """How many of `new` at its beginning equal a tail of `unanswered`: the longest such beginning."""
    texts = [message.content for message in new]
    for count in range(min(len(unanswered), len(texts)), 0, -1):
        if list(unanswered[-count:]) == texts[:count]:
            return count
    return 0


def context(messages: Sequence[Message]) -> Sequence[Message]:
    """What goes upstream of a stored path: its newest messages, beginning with a user's."""
    newest = messages[-CONTEXT_MESSAGES:]
    for index, message in enumerate(newest):
        if message.role == "user":
            return newest[index:]
    return newest
