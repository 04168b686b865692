"""The frames of the live mirror, as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

_json = msgspec.json.encode


def snapshot(conversation_id: str, messages: Sequence[Mapping[str, Any]]) -> str:
    """messages: message objects, oldest first"""
    return _json({"type": "snapshot", "conversation_id": conversation_id, "messages": messages}).decode()


def message(whole: Mapping[str, Any]) -> str:
    return _json({"type": "message", "message": whole}).decode()


class Deltas:
    """The delta frames of one message. Viewers are mostly at the same position: what one got is kept for the next."""

    __slots__ = ("_frame", "_message_id", "_span")

    def __init__(self, message_id: str) -> None:
        self._message_id = message_id
        self._span = (0, 0)
        self._frame = ""

    def frame(self, after: int, text: str) -> str:
        """text: what follows the position `after`"""
        span = (after, after + len(text))
        if span != self._span:
            delta = {"type": "delta", "message_id": self._message_id, "position": span[1], "content": text}
            self._span, self._frame = span, _json(delta).decode()
        return self._frame
