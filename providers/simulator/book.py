"""What the simulator keeps: which scripts to play, and what the vendors received."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

from providers.simulator.scripts import Assignment, Script, directive

State = Literal["open", "finished", "client_closed", "dropped"]

KEEP = 1000
KEEP_BYTES = 64 * 1024 * 1024
SECRETS = frozenset({"authorization", "x-api-key", "x-goog-api-key", "cookie"})


@dataclass(slots=True)
class Exchange:
    """One request a vendor received. Times are seconds since the epoch; chunks: how many deltas were sent."""

    vendor: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes
    model: str = ""
    state: State = "open"
    status: int | None = None
    chunks: int = 0
    opened_at: float = field(default_factory=time.time)
    closed_at: float | None = None

    def close(self, state: State) -> None:
        """How it ended. The first end counts."""
        if self.state == "open":
            self.state, self.closed_at = state, time.time()

    def describe(self) -> dict[str, Any]:
        """As JSON, without the values of keys."""
        return {
            "vendor": self.vendor,
            "method": self.method,
            "path": self.path,
            "query": {name: "***" if name == "key" else value for name, value in self.query.items()},
            "headers": {name: "***" if name in SECRETS else value for name, value in self.headers.items()},
            "body": _parsed(self.raw),
            "model": self.model,
            "state": self.state,
            "status": self.status,
            "chunks": self.chunks,
            "opened_at": self.opened_at,
            "closed_at": self.closed_at,
        }


class Book:
    """Scripts in the order in which they are tried, and the newest exchanges, bounded in number and in bytes."""

    def __init__(self, *, recording: bool = True) -> None:
        self.recording = recording
        self.assignments: list[Assignment] = []
        self._exchanges: deque[Exchange] = deque()
        self._bytes = 0

    def keep(self, exchange: Exchange) -> None:
        if not self.recording:
            return
        self._exchanges.append(exchange)
        self._bytes += len(exchange.raw)
        while len(self._exchanges) > KEEP or (self._bytes > KEEP_BYTES and len(self._exchanges) > 1):
            self._bytes -= len(self._exchanges.popleft().raw)

    def exchanges(self) -> Iterable[Exchange]:
        return tuple(self._exchanges)

    def forget(self) -> None:
        self._exchanges.clear()
        self._bytes = 0

    def script_for(self, vendor: str, model: str, prompt: str) -> Script:
        """An assigned script first, then a directive in the prompt, else an echo."""
        for assignment in self.assignments:
            if _means(assignment, vendor, model):
                if assignment.times is not None:
                    assignment.times -= 1
                return assignment.script
        return directive(prompt, vendor, model) or Script()


def _means(assignment: Assignment, vendor: str, model: str) -> bool:
    if assignment.times == 0 or assignment.vendor not in (None, vendor):
        return False
    return assignment.model is None or fnmatchcase(model, assignment.model)


def _parsed(raw: bytes) -> object:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return None
