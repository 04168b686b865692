"""What a provider's stream yields, in this order: `Attempted`*, `Serving`, `Delta`+, `Usage` and `Finish` at most once.

An adapter yields `Delta`, `Usage` and `Finish` only; `Attempted` and `Serving` are the fallback's. A `Delta` is all the
text that one read from the vendor brought, so there is one event a read, however many chunks it held.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec

FinishReason = Literal["stop", "length", "content_filter", "tool_call"]


class Delta(msgspec.Struct, frozen=True, gc=False):
    """New text, never empty, never holding a NUL or half a surrogate pair. A struct, because one is made per read."""

    text: str


@dataclass(frozen=True, slots=True)
class Usage:
    """The vendor's own count of tokens. The last one of a stream counts."""

    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Finish:
    """How the model ended. `reason` is None where the vendor's word (`raw`) is not known to us: never guessed."""

    reason: FinishReason | None
    raw: str | None


@dataclass(frozen=True, slots=True)
class Serving:
    """The model whose text follows, told once, right before the first delta."""

    provider: str
    model: str


@dataclass(frozen=True, slots=True)
class Attempted:
    """One try of one model that brought no text.

    outcome:     the `kind` of the `ProviderError` that ended it, such as `timeout` or `rate_limited`
    status:      the vendor's HTTP status, where it answered with one
    error:       a sentence safe to show and to store
    duration_ms: from the request to the failure
    """

    provider: str
    model: str
    outcome: str
    status: int | None
    error: str
    duration_ms: int


Event = Delta | Usage | Finish | Serving | Attempted
