"""Server-Sent Events as vendors send them: bytes in, events out, the same at every split of the bytes.

After https://html.spec.whatwg.org/multipage/server-sent-events.html (sections 9.2.5 and 9.2.6): lines end in CR, LF or
CRLF, several `data` lines are joined by LF, a byte order mark at the beginning is skipped, comments and fields other
than `data` and `event` are ignored (`id` and `retry` are for clients that reconnect), an event that the end of the
stream cuts off is dropped. It works on bytes, so that a read may end within a character.
"""

from __future__ import annotations

from providers.errors import Malformed

MAX_EVENT = 8 * 1024 * 1024
"""Bytes of one event, far beyond what any vendor sends: what is longer would only fill our memory."""

BOM = b"\xef\xbb\xbf"


WireEvent = tuple[bytes, bytes]
"""The `event` field, empty where there was none, and the joined `data` fields. A plain tuple: one is made per chunk."""


class SSEDecoder:
    """The state between two reads of one stream."""

    __slots__ = ("_after_cr", "_data", "_head", "_limit", "_line", "_name", "_pending", "_size")

    def __init__(self, limit: int = MAX_EVENT) -> None:
        self._limit = limit
        self._head: bytes | None = b""  # what may be the beginning of a byte order mark; None: past it
        self._after_cr = False
        self._line: list[bytes] = []
        self._name = b""
        self._data: list[bytes] = []
        self._size = 0
        self._pending = False

    def feed(self, chunk: bytes) -> list[WireEvent]:
        """The events that `chunk` completes. Raises Malformed when one outgrows the limit."""
        if self._head is not None:
            chunk = self._skip_mark(chunk)
        if (
            # A single line of data, as nearly every read is when a model streams at its own pace.
            not self._pending
            and chunk.startswith(b"data: ")
            and chunk.find(b"\n") == len(chunk) - 2
            and chunk.endswith(b"\n\n")
            and b"\r" not in chunk
            and len(chunk) <= self._limit
        ):
            return [(b"", chunk[6:-2])]
        if self._pending or len(chunk) > self._limit or b"\r" in chunk:
            return self._by_line(chunk)
        *blocks, rest = chunk.split(b"\n\n")
        events: list[WireEvent] = []
        for block in blocks:
            first, _, second = block.partition(b"\n")
            if not second and first.startswith(b"data: "):
                events.append((b"", first[6:]))
            elif second.startswith(b"data: ") and first.startswith(b"event: ") and b"\n" not in second:
                events.append((first[7:], second[6:]))
            else:
                events += self._by_line(block + b"\n\n")
        if rest:
            self._by_line(rest)
        return events

    def _skip_mark(self, chunk: bytes) -> bytes:
        chunk = (self._head or b"") + chunk
        if len(chunk) < len(BOM) and BOM.startswith(chunk):
            self._head = chunk
            return b""
        self._head = None
        return chunk.removeprefix(BOM)

    def _by_line(self, chunk: bytes) -> list[WireEvent]:
        """The same without any assumption, one line after the other."""
        if self._after_cr and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        events: list[WireEvent] = []
        for line in chunk.splitlines(keepends=True):  # for bytes that is CR, LF and CRLF, and nothing else
            text = line.rstrip(b"\r\n")
            self._line.append(text)
            self._grow(len(text))
            if len(text) < len(line) and (event := self._end_line()):
                events.append(event)
        self._after_cr = self._after_cr or chunk.endswith(b"\r")
        self._pending = bool(self._after_cr or self._line or self._data or self._name)
        return events

    def _grow(self, more: int) -> None:
        self._size += more
        if self._size > self._limit:
            raise Malformed("The provider sent an event without an end.")

    def _end_line(self) -> WireEvent | None:
        line = self._line[0] if len(self._line) == 1 else b"".join(self._line)
        self._line = []
        if not line:
            return self._end_event()
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
        elif field == b"event":
            self._name = value
        else:
            self._size -= len(line)
        return None

    def _end_event(self) -> WireEvent | None:
        name, data = self._name, self._data
        self._name, self._data, self._size = b"", [], 0
        return (name, b"\n".join(data)) if data else None
