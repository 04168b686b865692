"""What a model is asked: the messages of a conversation and how to answer them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Role = Literal["user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One utterance. `system` texts are not messages but instructions, see `CompletionRequest.instructions`."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """One question to one model. `None` and empty values are left out of what the vendor receives.

    messages:     at least one, oldest first; adapters bring them into the order their vendor demands
    model:        the identifier asked for; the fallback asks again with another
    instructions: the system text, joined by the caller; empty: none
    temperature:  0 to 2, as the vendor takes it
    max_tokens:   the most the reply may have
    extra:        vendor parameters passed on as they stand (only for the vendor whose names they are)
    """

    messages: Sequence[Message]
    model: str
    instructions: str = ""
    temperature: float | None = None
    max_tokens: int | None = None
    top_p: float | None = None
    stop: Sequence[str] = ()
    seed: int | None = None
    extra: Mapping[str, object] = field(default_factory=dict)
