"""Commands in a process of their own, as a person or a script starts them."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.services import environment

SECONDS = 40.0
COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def command(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "manage.py", name, *arguments]


def piped(name: str, *arguments: str, given: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run it without a terminal."""
    return subprocess.run(
        command(name, *arguments), input=given, capture_output=True, text=True, cwd=environment.ROOT,
        env=environment.for_process(**variables), timeout=SECONDS, check=False,
    )  # fmt: skip


class Terminal:
    """A process whose stdin, stdout and stderr are a terminal that the test sits at."""

    def __init__(self, name: str, *arguments: str, **variables: str) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            command(name, *arguments), stdin=theirs, stdout=theirs, stderr=theirs, cwd=environment.ROOT,
            env={**environment.for_process(**variables), "TERM": "dumb"}, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self.shown = ""

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def leave(self) -> int:
        """Ctrl-D at a prompt (before one it would be lost), and the exit code."""
        self._prompted()
        self.type("\x04")
        self.read(until=None)
        return self.process.wait(SECONDS)

    def interrupt(self) -> None:
        """What Ctrl-C sends."""
        self.process.send_signal(signal.SIGINT)

    def read(self, until: str | None) -> str:
        """Everything shown since the beginning, once it has that text; None: once nothing follows."""
        deadline = time.monotonic() + SECONDS
        while until is None or until not in self.shown:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._ours], [], [], left)[0]:
                raise AssertionError(f"no {until!r} in {self.shown!r}")
            try:
                piece = os.read(self._ours, 4096)
            except OSError:  # the other end is closed
                piece = b""
            if not piece:
                if until is None:
                    break
                raise AssertionError(f"no {until!r} in {self.shown!r}")
            self.shown += COLOURS.sub("", piece.decode(errors="replace"))
        return self.shown

    def _prompted(self) -> None:
        while not self.shown.endswith("\n> "):
            seen, self.shown = self.shown, ""
            self.shown = seen + self.read("> ")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)


@contextmanager
def terminal(name: str, *arguments: str, **variables: str) -> Iterator[Terminal]:
    opened = Terminal(name, *arguments, **variables)
    try:
        yield opened
    finally:
        opened.close()
