"""Server-Sent Events of the streaming contract: a reply's text in, bytes out."""

from __future__ import annotations

import msgspec

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

    def error(self, message: str, position: int) -> bytes:
        return self._id(position) + b"data: " + _json({"id": self._chunk_id, "error": message}) + b"\n\n"

    def done(self, position: int) -> bytes:
        return self._id(position) + b"data: [DONE]\n\n"

    def _id(self, position: int) -> bytes:
        return b"id: %d\n" % position if self._with_ids else b""
