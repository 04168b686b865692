"""Public ids: the time for people, the random part so that knowing one tells nothing of another."""

from __future__ import annotations

import re
import secrets
import time

RANDOM_DIGITS = 25
CHOSEN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:~-]{0,127}")
"""What a client may call its conversation; ids of ours have this shape too."""


def digits() -> str:
    """13 digits of milliseconds since the epoch, then 25 random ones; the shape `msg-\\d+` is the contract's."""
    return f"{time.time_ns() // 1_000_000:013d}{secrets.randbelow(10**RANDOM_DIGITS):0{RANDOM_DIGITS}d}"


def message_id() -> str:
    return f"msg-{digits()}"


def conversation_id() -> str:
    return f"session-{digits()}"


def chunk_id(prefix: str, message_public_id: str) -> str:
    """The id of every chunk of a reply: `<prefix>-`, usually the provider's name, and the digits of its message id."""
    return f"{prefix}-{message_public_id.removeprefix('msg-')}"
