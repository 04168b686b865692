"""Conversations as files bring them, whatever wrote the file."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

DIGITS = 25


@dataclass(frozen=True, slots=True)
class ForeignMessage:
    """id: as the file has it, unique within its conversation;  parent_id: of one that comes before it, or None"""

    id: str
    parent_id: str | None
    role: str
    content: str
    created_at: datetime
    active: bool
    status: str = "complete"
    provider: str = ""
    model: str = ""
    finish_reason: str | None = None
    error: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    usage_estimated: bool = False
    feedback_rating: str = ""
    feedback_comment: str = ""


@dataclass(frozen=True, slots=True)
class ForeignConversation:
    """messages: parents before children;  owner: a user's name, where the file tells;  title: "" where there is none"""

    id: str
    title: str
    created_at: datetime
    updated_at: datetime
    messages: Sequence[ForeignMessage]
    instructions: str = ""
    archived: bool = False
    owner: str | None = None


class UnreadableError(ValueError):
    """It is no conversation; `str` says why."""


def message_id(owner_id: int | None, conversation_id: str, message: ForeignMessage) -> str:
    """An id of ours for a message whose own cannot be used; the same whenever the same is imported."""
    name = f"{owner_id}\0{conversation_id}\0{message.id}".encode()
    number = int.from_bytes(hashlib.sha256(name).digest()) % 10**DIGITS
    milliseconds = max(0, round(message.created_at.timestamp() * 1000)) % 10**13
    return f"msg-{milliseconds:013d}{number:0{DIGITS}d}"


def cleaned(text: str) -> str:
    """Without what no database stores: NUL, and halves of surrogate pairs."""
    text = text.replace("\0", "")
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
