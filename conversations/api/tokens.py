"""What a bearer token means: django-rest-knox verifies it, and a process remembers the answer for a moment."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

from django.utils import timezone
from knox.auth import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed

T = TypeVar("T")

REMEMBERED_SECONDS = 5.0
"""So long at most a token that was revoked, or whose owner was deactivated, is still taken."""

REMEMBERED_TOKENS = 4096
TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{1,256}={0,2}")
"""RFC 6750's token, bounded; knox makes 64 hexadecimal digits. Anything else is not worth a look into the database."""


@dataclass(frozen=True, slots=True)
class Grant:
    """owner_id: whose token it is;  credential: what limits count by, of which the token cannot be told"""

    owner_id: int
    credential: str


class Memory(Generic[T]):
    """A bounded dictionary whose entries end on their own. Safe to share between threads."""

    def __init__(self, size: int = REMEMBERED_TOKENS, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._size = size
        self._entries: dict[str, tuple[float, T]] = {}
        self._lock = Lock()

    def get(self, key: str) -> T | None:
        entry = self._entries.get(key)
        return entry[1] if entry is not None and entry[0] > self.clock() else None

    def put(self, key: str, value: T, until: float) -> None:
        """Remember until that time of this memory's clock; when full, the oldest entry goes."""
        with self._lock:
            self._entries.pop(key, None)
            while len(self._entries) >= self._size:
                del self._entries[next(iter(self._entries))]
            self._entries[key] = (until, value)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()


# Apart, so that a flood of invented tokens pushes out none that are good.
known: Memory[Grant] = Memory()
refused: Memory[bool] = Memory()


def remembered(token: str) -> tuple[bool, Grant | None]:
    """Whether the answer is known without the database, and the answer."""
    if TOKEN.fullmatch(token) is None:
        return True, None
    key = _fingerprint(token)
    grant = known.get(key)
    return grant is not None or refused.get(key) is not None, grant


def verify(token: str) -> Grant | None:
    """Ask the database, and remember. None: unknown, revoked or expired, or its owner is not active.

    Counted from before the question, so that nothing older than `REMEMBERED_SECONDS` is ever believed.
    """
    asked_at = known.clock()
    key = _fingerprint(token)
    try:
        user, stored = TokenAuthentication().authenticate_credentials(token.encode())
    except AuthenticationFailed:
        refused.put(key, True, asked_at + REMEMBERED_SECONDS)
        return None
    grant = Grant(user.pk, stored.digest[:32])
    left = (stored.expiry - timezone.now()).total_seconds() if stored.expiry else REMEMBERED_SECONDS
    known.put(key, grant, asked_at + min(left, REMEMBERED_SECONDS))
    return grant


def forget() -> None:
    """Ask the database again for every token."""
    known.clear()
    refused.clear()


def _fingerprint(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
