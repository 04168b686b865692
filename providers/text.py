"""Text as vendors may send it, made into text that everything behind may rely on.

Some OpenAI-compatible servers split an emoji over two JSON strings (`"\\ud83d"`, then `"\\ude00"`), which no UTF-8
encoder takes, msgspec refuses, and PostgreSQL neither stores nor the client's JSON parser joins.
"""

from __future__ import annotations

import json
from typing import TypeVar

import msgspec

from providers.errors import Malformed

T = TypeVar("T")


def decode(payload: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """One JSON value of the decoder's type. Strings may hold halves of surrogate pairs. Raises Malformed."""
    try:
        return decoder.decode(payload)
    except (ValueError, RecursionError):
        return _decode_leniently(payload, decoder.type)


def _decode_leniently(payload: bytes, kind: type[T]) -> T:
    """The slow way, for what the strict parser refuses: lone surrogates, and bytes that are not UTF-8."""
    try:
        return msgspec.convert(json.loads(payload.decode("utf-8", "replace")), kind)
    except (ValueError, RecursionError):
        raise Malformed("The provider sent something that is not its protocol.") from None


class Text:
    """Joins the pieces of one reply: no NUL, which PostgreSQL cannot store, and no half of a surrogate pair.

    The first half of a pair waits for the second; a half without its partner becomes U+FFFD.
    """

    __slots__ = ("_half",)

    def __init__(self) -> None:
        self._half = ""

    def add(self, text: str) -> str:
        """The text that is certain with this piece, perhaps none."""
        if "\0" in text:
            text = text.replace("\0", "")
        if self._half:
            text, self._half = self._half + text, ""
        elif text.isascii():
            return text
        try:
            text.encode()
        except UnicodeEncodeError:
            return self._mend(text)
        return text

    def end(self) -> str:
        """What is left when nothing more comes."""
        half, self._half = self._half, ""
        return "\ufffd" if half else ""

    def _mend(self, text: str) -> str:
        if "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
