"""What a bearer token means: django-rest-knox verifies ours, PyJWT those of an outside provider (`jwts`), and a process
remembers the answer for a moment. Which of the two it is, its shape tells."""

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

from conversations import database
from conversations.api import jwks, jwts
from conversations.store.users import active_user, user_on_first_sight

T = TypeVar("T")

REMEMBERED_SECONDS = 5.0
"""So long at most a token that was revoked, or whose owner was deactivated, is still taken."""

REMEMBERED_TOKENS = 4096
TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{1,256}={0,2}")
"""RFC 6750's token, bounded; knox makes 64 hexadecimal digits. Anything else is not worth a look into the database."""


@dataclass(frozen=True, slots=True)
class Grant:
    """owner_id: whose token it is;  credential: what limits count by, of which the token cannot be told

    Outside tokens are renewed every few minutes: there the credential is empty, and limits count by the owner.
    """

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
    if TOKEN.fullmatch(token) is None and not _is_outside(token):
        return True, None
    key = _fingerprint(token)
    grant = known.get(key)
    return grant is not None or refused.get(key) is not None, grant


def verify(token: str) -> Grant | None:
    """Ask the database, and remember. None: unknown, revoked or expired, or its owner is not active.

    Counted from before the question, so that nothing older than `REMEMBERED_SECONDS` is ever believed.
    Raises `KeysUnavailableError` where it is an outside provider's and cannot be judged now.
    """
    asked_at = known.clock()
    if not _is_outside(token):
        return _remember(token, asked_at, *_of_ours(token))
    try:
        jwts.keys().fetch(jwts.kid_of(token))
        subject = jwts.subject_of(token)
    except jwts.InvalidTokenError:
        return _remember(token, asked_at, None)
    user = active_user(subject.username) or user_on_first_sight(subject.username)
    return _remember(token, asked_at, *_granted(user, subject))


async def verify_async(token: str) -> Grant | None:
    """`verify` for coroutines: every step where it may take its time."""
    if not _is_outside(token):
        return await database.read(verify, token)
    asked_at = known.clock()
    try:
        await jwks.prepare(jwts.keys(), jwts.kid_of(token))
        subject = jwts.subject_of(token)
    except jwts.InvalidTokenError:
        return _remember(token, asked_at, None)
    user = await database.read(active_user, subject.username)
    if user is None:
        user = await database.write(user_on_first_sight, subject.username)
    return _remember(token, asked_at, *_granted(user, subject))


def _is_outside(token: str) -> bool:
    return jwts.accepted() and jwts.is_one(token)


def _of_ours(token: str) -> tuple[Grant | None, float]:
    """What our own token means, and for how many seconds."""
    try:
        user, stored = TokenAuthentication().authenticate_credentials(token.encode())
    except AuthenticationFailed:
        return None, REMEMBERED_SECONDS
    left = (stored.expiry - timezone.now()).total_seconds() if stored.expiry else REMEMBERED_SECONDS
    return Grant(user.pk, stored.digest[:32]), left


def _granted(user: tuple[int, bool], subject: jwts.Subject) -> tuple[Grant | None, float]:
    owner_id, is_active = user
    return (Grant(owner_id, ""), subject.seconds) if is_active else (None, REMEMBERED_SECONDS)


def _remember(token: str, asked_at: float, grant: Grant | None, seconds: float = REMEMBERED_SECONDS) -> Grant | None:
    until = asked_at + min(seconds, REMEMBERED_SECONDS)
    if grant is None:
        refused.put(_fingerprint(token), True, until)
    else:
        known.put(_fingerprint(token), grant, until)
    return grant


def forget() -> None:
    """Ask the database again for every token."""
    known.clear()
    refused.clear()


def _fingerprint(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
