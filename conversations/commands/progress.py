"""How far a long command has come."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

WIDTH = 30
REDRAWN = 0.1
"""Seconds between two states of the bar."""

REPEATED = 10.0
"""Seconds between two lines where there is no terminal."""


class Output(Protocol):
    def write(
        self, msg: str = "", style_func: Callable[[str], str] | None = None, ending: str | None = None
    ) -> None: ...

    def flush(self) -> None: ...

    def isatty(self) -> bool: ...


class Progress:
    """Counts on a stream; a last line tells the sum in any case. total: None where it is not known"""

    def __init__(self, output: Output, what: str, total: int | None = None) -> None:
        self._output = output
        self._what = what
        self._total = total
        self._bar = output.isatty()
        self._began = self._told_at = time.monotonic()
        self.done = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._say("\r\x1b[K", ending="")
        seconds = time.monotonic() - self._began
        self._say(f"{self._what}: {self._count} in {seconds:.1f} s")

    def advance(self, by: int = 1) -> None:
        self.done += by
        now = time.monotonic()
        if now - self._told_at >= (REDRAWN if self._bar else REPEATED):
            self._told_at = now
            self._tell()

    @property
    def _count(self) -> str:
        return f"{self.done:,}" if self._total is None else f"{self.done:,} of {self._total:,}"

    def _tell(self) -> None:
        if not self._bar:
            self._say(f"{self._what}: {self._count}")
            return
        share = min(1.0, self.done / self._total) if self._total else 0.0
        filled = round(WIDTH * share)
        bar = f"[{'#' * filled}{'.' * (WIDTH - filled)}] {share:4.0%} " if self._total else ""
        self._say(f"\r\x1b[K{self._what}: {bar}{self._count}", ending="")

    def _say(self, text: str, *, ending: str = "\n") -> None:
        self._output.write(text, style_func=str, ending=ending)  # not in the red of errors
        self._output.flush()
