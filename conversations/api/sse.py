"""Server-Sent Events of the streaming contract: a reply's text in, bytes out."""

from __future__ import annotations

import msgspec

from conversations.generations.buffer import Ending
from conversations.models import Status

LOST = "The end of this reply was lost when its server stopped; it was shown to you but could not be stored."
QUIET = (Status.COMPLETE, Status.CANCELLED)
"""Ends of which there is nothing to tell but that they are there."""

HEARTBEAT = b": heartbeat\n\n"
OPENED = b": ok\n\n"

_json = msgspec.json.encode


class Encoder:
    """Writes one reply's events. What is the same in each is encoded once.

    with_ids: whether events carry their position as `id:`, as those of a stored reply do
    """

    __slots__ = ("_chunk_id", "_model", "_prefix", "_suffix", "_with_ids")

    def __init__(self, chunk_id: str, *, with_ids: bool) -> None:
        self._chunk_id = chunk_id
        self._with_ids = with_ids
        self._prefix = b'data: {"id":' + _json(chunk_id) + b',"delta":{"content":'
        self._model: str | None = None
        self._suffix = b""

    def delta(self, text: str, position: int, model: str) -> bytes:
        """position: the one after the text"""
        if model != self._model:
            self._model = model
            self._suffix = b',"model":' + _json(model) + b"}}\n\n"
        if self._with_ids:
            return b"id: %d\n%b%b%b" % (position, self._prefix, _json(text), self._suffix)
        return self._prefix + _json(text) + self._suffix

    def end(self, position: int, after: int, ending: Ending) -> bytes:
        """What follows the text, less what the client says it has seen.

        position: the length of the text; after: the position that the client had when it asked
        """
        if after > position + end_events(ending):
            return self._error(LOST, position + 1) + self._done(position + 2)
        if ending.status in QUIET:
            return self._done(position + 1)
        error = self._error(ending.error, position + 1) if after <= position else b""
        return error + self._done(position + 2)

    def _error(self, message: str, position: int) -> bytes:
        return self._id(position) + b"data: " + _json({"id": self._chunk_id, "error": message}) + b"\n\n"

    def _done(self, position: int) -> bytes:
        return self._id(position) + b"data: [DONE]\n\n"

    def _id(self, position: int) -> bytes:
        return b"id: %d\n" % position if self._with_ids else b""


def end_events(ending: Ending) -> int:
    """How many events end a stream: `[DONE]`, and before it an error where there is one to tell."""
    return 1 if ending.status in QUIET else 2
