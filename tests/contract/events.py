"""The stream as a client of the streaming contract reads it, and nothing that it would not expect there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

EVENT = re.compile(r"(?:id: (?P<id>[0-9]+)\n)?data: (?P<data>[^\n\r]*)")
COMMENT = re.compile(r": [^\n\r]*")
DONE = "[DONE]"


@dataclass(frozen=True)
class Event:
    """One block of a stream. id: None where it has none; data: as sent; comment: where it is one."""

    id: int | None = None
    data: str = ""
    comment: str | None = None

    @property
    def value(self) -> dict[str, Any]:
        parsed = json.loads(self.data)
        assert isinstance(parsed, dict)
        return parsed

    @property
    def text(self) -> str:
        """The text of a delta, nothing of any other."""
        if self.comment is not None or self.data == DONE:
            return ""
        return str(self.value.get("delta", {}).get("content", ""))

    @property
    def error(self) -> str | None:
        return None if self.comment is not None or self.data == DONE else self.value.get("error")


def parse(block: str) -> Event:
    """Raises AssertionError for anything that is neither one event of ours nor one comment."""
    if COMMENT.fullmatch(block):
        return Event(comment=block[2:])
    match = EVENT.fullmatch(block)
    assert match is not None, f"neither an event nor a comment: {block!r}"
    return Event(int(match["id"]) if match["id"] else None, match["data"])


def read(text: str) -> list[Event]:
    """The events of a whole stream."""
    blocks = text.split("\n\n")
    assert blocks.pop() == "", f"the stream ends within an event: {text[-200:]!r}"
    return [parse(block) for block in blocks]


def following(lines: Iterable[str]) -> Iterator[Event]:
    """Events as they arrive. lines: pieces of the stream, cut anywhere"""
    pending = ""
    for piece in lines:
        pending += piece
        *blocks, pending = pending.split("\n\n")
        yield from map(parse, blocks)
    assert pending == "", f"the stream ends within an event: {pending!r}"


def text_of(events: Sequence[Event]) -> str:
    return "".join(event.text for event in events)


def deltas(events: Sequence[Event]) -> list[dict[str, Any]]:
    return [event.value for event in events if event.text]


def errors(events: Sequence[Event]) -> list[str]:
    return [event.error for event in events if event.error is not None]
