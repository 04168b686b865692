"""Messages as JSON: the documented history entry, and the whole message of the wire beyond it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from conversations.models import Message, Status


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds and `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def history_entry(message: Message, siblings: Sequence[str] = (), text: str | None = None) -> dict[str, Any]:
    """The documented four keys; where there is more to tell, those that tell it.

    text: what a streaming message holds so far
    """
    content = message.content if text is None else text
    entry: dict[str, Any] = {
        "id": message.public_id,
        "content": content,
        "role": message.role,
        "timestamp": timestamp(message.created_at),
    }
    if message.status != Status.COMPLETE:
        entry |= {
            "status": message.status,
            "position": len(content),
            "model": message.model or None,
            "error": message.error or None,
        }
    return entry | _siblings(siblings)


def message_object(
    message: Message, conversation_id: str, parent_id: str | None, siblings: Sequence[str] = (), text: str | None = None
) -> dict[str, Any]:
    """Everything a client may know of a message."""
    content = message.content if text is None else text
    return {
        "id": message.public_id,
        "conversation_id": conversation_id,
        "parent_id": parent_id,
        "role": message.role,
        "content": content,
        "timestamp": timestamp(message.created_at),
        "status": message.status,
        "position": len(content),
        "provider": message.provider or message.requested_provider or None,
        "model": message.model or None,
        "finish_reason": message.finish_reason,
        "usage": _usage(message),
        "error": message.error or None,
        "feedback": _feedback(message),
        **_siblings(siblings),
    }


def _siblings(siblings: Sequence[str]) -> dict[str, Any]:
    return {"siblings": list(siblings)} if len(siblings) > 1 else {}


def _usage(message: Message) -> dict[str, Any] | None:
    if message.input_tokens is None or message.output_tokens is None:
        return None
    return {
        "input_tokens": message.input_tokens,
        "output_tokens": message.output_tokens,
        "estimated": message.usage_estimated,
    }


def _feedback(message: Message) -> dict[str, Any] | None:
    if not message.feedback_rating and not message.feedback_comment:
        return None
    return {"rating": message.feedback_rating or None, "comment": message.feedback_comment or None}
