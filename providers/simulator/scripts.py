"""What a simulated reply does, as a value that travels as JSON. The package's docstring explains the fields."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Annotated, Literal

import msgspec

Fault = Literal["stall", "error", "drop", "reset", "bad_json", "not_sse", "end"]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=3600)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]

ECHO_DELAY = 0.02
FILLER = "Lorem ipsum dolor sit amet, consectetur adipiscing elit. "


class Script(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One reply. Frozen and hashable, so that its encoded deltas can be remembered."""

    text: str | None = None
    chunks: Count | tuple[str, ...] | None = None
    size: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    headers_delay: Seconds = 0
    first_delay: Seconds = 0
    delay: Seconds | None = None
    burst: bool = False
    endless: bool = False
    split_utf8: bool = False
    ascii: bool = False
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] | None = None
    retry_after: Seconds | None = None
    message: str | None = None
    fault: Fault | None = None
    after: Annotated[int, msgspec.Meta(ge=-1)] = 0
    finish: str | None = None
    filtered: bool = False
    refusal: str | None = None
    usage: bool = True
    input_tokens: Count | None = None
    output_tokens: Count | None = None

    @property
    def echoes(self) -> bool:
        """Whether the reply's text depends on the request."""
        return self.text is None and self.chunks is None and self.refusal is None and not self.filtered

    @property
    def pace(self) -> float:
        """Seconds between two deltas."""
        if self.delay is not None:
            return self.delay
        return ECHO_DELAY if self.echoes else 0.0

    def deltas(self, echo: str = "") -> tuple[str, ...]:
        """The reply's text in the pieces in which it is sent; none at all for an empty one."""
        return _pieces(echo, self.size) if self.echoes else _scripted(self)


class Assignment(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which requests play a script: all where neither vendor nor model is named, for ever where no `times` is."""

    script: Script
    vendor: Literal["openai", "anthropic", "gemini"] | None = None
    model: str | None = None
    times: Annotated[int, msgspec.Meta(ge=0)] | None = None


DIRECTIVE = re.compile(r"\[\[simulate((?: +[a-z_0-9]+=[^\s\]]+)+) *\]\]")


def directive(text: str, vendor: str, model: str) -> Script | None:
    """The script that a user's message asks for, if it means this vendor and model."""
    found = DIRECTIVE.search(text)
    if found is None:
        return None
    pairs = [pair.split("=", 1) for pair in found[1].split()]
    fields = dict(pairs)
    if len(fields) != len(pairs):
        return None
    if fields.pop("vendor", vendor) != vendor or fields.pop("model", model) != model:
        return None
    try:
        return msgspec.convert(fields, Script, strict=False)
    except msgspec.ValidationError:
        return None


@lru_cache(maxsize=64)
def _scripted(script: Script) -> tuple[str, ...]:
    if isinstance(script.chunks, tuple):
        return script.chunks
    if isinstance(script.chunks, int):
        return tuple(_made(script.chunks, script.size or 5, script.text or FILLER))
    return _pieces(script.text or "", script.size)


def _made(count: int, size: int, text: str) -> Iterator[str]:
    """`count` pieces of equal size, of a text repeated as often as it takes."""
    source = text * (size // len(text) + 2)
    for number in range(count):
        start = number * size % len(text)
        yield source[start : start + size]


def _pieces(text: str, size: int | None) -> tuple[str, ...]:
    """The text cut to equal sizes, or else in words, each with the white space before it."""
    if size:
        return tuple(text[start : start + size] for start in range(0, len(text), size))
    return tuple(re.findall(r"\s*\S+|\s+\Z", text))
