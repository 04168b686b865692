"""What the three vendors' protocols have in common."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from providers.simulator.scripts import Script

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Route:
    """What a path asks a vendor for. action: `chat`, `models`, `model`, or empty for nothing known."""

    action: str = ""
    model: str = ""
    stream: bool | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error a vendor answers with. kind, param and code are the vendor's own words, where it has them."""

    status: int
    message: str
    kind: str | None = None
    param: str | None = None
    code: str | None = None


@dataclass(slots=True)
class Ask:
    """A chat request as its vendor reads it. prompt: the text of the last user message."""

    model: str
    stream: bool
    body: Json
    headers: Mapping[str, str]
    texts: Sequence[str] = ()
    prompt: str = ""


@dataclass(slots=True)
class Reply:
    """What one exchange answers."""

    ask: Ask
    script: Script
    deltas: Sequence[str]
    id: str = field(default_factory=lambda: secrets.token_hex(12))
    created: int = field(default_factory=lambda: int(time.time()))

    @property
    def text(self) -> str:
        return "".join(self.deltas)

    @property
    def input_tokens(self) -> int:
        fixed = self.script.input_tokens
        return tokens(self.ask.texts) if fixed is None else fixed

    @property
    def output_tokens(self) -> int:
        fixed = self.script.output_tokens
        return tokens(self.deltas) if fixed is None else fixed

    @property
    def filtered(self) -> bool:
        return self.script.filtered or self.script.refusal is not None


class Vendor(Protocol):
    """One vendor's protocol. Everything is a pure function of the request and the script."""

    name: str
    stream_type: str
    json_type: str

    def route(self, method: str, path: str) -> Route: ...

    def has_key(self, headers: Mapping[str, str], query: Mapping[str, str]) -> bool: ...

    def read(self, route: Route, body: Json, headers: Mapping[str, str]) -> Ask:
        """The request in common words. Raises nothing: what is wrong with it is for `refuse` to say."""
        ...

    def refuse(self, ask: Ask) -> Refusal | None: ...

    def models(self) -> Json: ...

    def model(self, name: str) -> Json | None: ...

    def unknown_model(self, name: str) -> Refusal: ...

    def headers(self, request_id: str) -> list[tuple[bytes, bytes]]: ...

    def error(self, refusal: Refusal, request_id: str) -> Json: ...

    def error_frame(self, refusal: Refusal, request_id: str) -> bytes: ...

    def opening(self, reply: Reply) -> bytes: ...

    def around(self, reply: Reply) -> tuple[bytes, bytes]:
        """What stands before and after a delta's body in every frame of this reply."""
        ...

    def bodies(self, deltas: Sequence[str], script: Script) -> list[bytes]:
        """The part of each delta's frame that is the same in every reply of this script."""
        ...

    def closing(self, reply: Reply) -> bytes: ...

    def whole(self, reply: Reply) -> Json: ...


def dumps(value: object, *, escape: bool = False) -> bytes:
    """Compact JSON. Half a surrogate pair has no UTF-8 but is escaped, as a JSON string may hold it."""
    text = json.dumps(value, ensure_ascii=escape, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")


def tokens(texts: Sequence[str]) -> int:
    """A deterministic estimate: a token is four bytes of UTF-8."""
    return max(1, (sum(len(text.encode("utf-8", "surrogatepass")) for text in texts) + 3) // 4)


def part_texts(content: object) -> list[str]:
    """The texts of a message's content, be it a string or a list of parts."""
    if isinstance(content, str):
        return [content]
    parts = content if isinstance(content, list) else []
    return [part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)]


def objects(value: object) -> list[Json]:
    """The objects of a JSON list, nothing of anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
