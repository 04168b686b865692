"""Reads what `export_conversations` and the API's download write."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from conversations.commands.foreign import ForeignConversation, ForeignMessage, UnreadableError, cleaned
from conversations.identifiers import CHOSEN_ID
from conversations.models import Status

VERSION = 1
INTERRUPTED = "The reply was under way when the conversation was exported. The text is as far as it had come."

Count = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class _Usage(msgspec.Struct):
    input_tokens: Count
    output_tokens: Count
    estimated: bool = False


class _Feedback(msgspec.Struct):
    rating: Literal["up", "down"] | None = None
    comment: str | None = None


class _Message(msgspec.Struct):
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    role: Literal["user", "assistant"]
    content: str
    timestamp: Moment
    parent_id: str | None = None
    active: bool = True
    status: Literal["streaming", "complete", "cancelled", "failed", "interrupted"] = "complete"
    provider: Annotated[str, msgspec.Meta(max_length=32)] | None = None
    model: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    finish_reason: Annotated[str, msgspec.Meta(max_length=16)] | None = None
    usage: _Usage | None = None
    error: str | None = None
    feedback: _Feedback | None = None


class _Conversation(msgspec.Struct):
    conversation_id: str
    created_at: Moment
    updated_at: Moment
    title: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    archived: bool = False
    instructions: str | None = None


class _Document(msgspec.Struct):
    format: Literal["dialogix"]
    version: int
    conversation: _Conversation
    messages: list[_Message]
    owner: Annotated[str, msgspec.Meta(min_length=1, max_length=150)] | None = None


_decoder = msgspec.json.Decoder(_Document)


def conversation(line: bytes) -> ForeignConversation:
    """Raises `UnreadableError`."""
    try:
        document = _decoder.decode(line)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableError(str(error)) from error
    if document.version > VERSION:
        raise UnreadableError(f"it is of version {document.version}, which only a newer server reads")
    told = document.conversation
    if not CHOSEN_ID.fullmatch(told.conversation_id):
        raise UnreadableError(f"{told.conversation_id!r} cannot be the id of a conversation")
    return ForeignConversation(
        id=told.conversation_id,
        title=cleaned(told.title or ""),
        created_at=told.created_at,
        updated_at=told.updated_at,
        messages=_messages(document.messages),
        instructions=cleaned(told.instructions or ""),
        archived=told.archived,
        owner=document.owner,
    )


def _messages(told: list[_Message]) -> list[ForeignMessage]:
    known: set[str] = set()
    for each in told:
        if each.id in known:
            raise UnreadableError(f"the message {each.id} is there twice")
        if each.parent_id is not None and each.parent_id not in known:
            raise UnreadableError(f"the message {each.id} comes before the one it follows")
        known.add(each.id)
    return [_message(each) for each in told]


def _message(told: _Message) -> ForeignMessage:
    usage, feedback = told.usage, told.feedback or _Feedback()
    streaming = told.status == Status.STREAMING.value
    content = cleaned(told.content)
    return ForeignMessage(
        id=told.id,
        parent_id=told.parent_id,
        role=told.role,
        content=content,
        created_at=told.timestamp,
        active=told.active and (bool(content) or told.role == "user"),
        status=Status.INTERRUPTED if streaming else told.status,
        provider=told.provider or "",
        model=told.model or "",
        finish_reason=told.finish_reason,
        error=INTERRUPTED if streaming else cleaned(told.error or ""),
        input_tokens=usage.input_tokens if usage else None,
        output_tokens=usage.output_tokens if usage else None,
        usage_estimated=bool(usage and usage.estimated),
        feedback_rating=feedback.rating or "",
        feedback_comment=cleaned(feedback.comment or ""),
    )
