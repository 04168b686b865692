"""How long this thread waits for Postgres: a server that hangs, or is gone without a word, must not hold it for ever.

Threads that were not asked to be impatient (commands, the admin) wait as long as it takes. `conversations.postgres` has
the connection that heeds it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

AT_LEAST = 0.05
"""Seconds that remain for an answer though nearly all went by before it could be asked for."""


class _Patience(threading.local):
    seconds: float | None = None
    until = 0.0


_here = _Patience()


@contextmanager
def patient(seconds: float, until: float) -> Iterator[None]:
    """until: when, by the monotonic clock, the first answer has to be there;  seconds: within which each further one"""
    _here.seconds, _here.until = seconds, until
    try:
        yield
    finally:
        _here.seconds = None


def left() -> float | None:
    """Seconds within which the next answer has to come; None: it may take any time."""
    return None if _here.seconds is None else max(AT_LEAST, _here.until - time.monotonic())


def answered() -> None:
    """The server has just proved to be there."""
    if _here.seconds is not None:
        _here.until = time.monotonic() + _here.seconds
