"""The public keys of the outside provider that issues tokens (`AUTH_JWKS_URL`), fetched seldom and never on the event
loop.

However many tokens with invented key ids arrive, the provider is asked once in `COOLDOWN` seconds at most, whether it
answered or not: nobody gains a lever against it. While it does not answer, the keys it gave last go on to count.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache
from threading import Lock

from jwt import PyJWK, PyJWKClient
from jwt.exceptions import PyJWTError

FRESH = 300.0
"""Seconds after which the keys are asked for again, so that one that was withdrawn is not believed for long."""

KEPT = 3600.0
"""Seconds for which they count while they cannot be asked for."""

COOLDOWN = 10.0
TIMEOUT = 3.0
"""Seconds for a connection, and for a silence in the answer."""

PATIENCE = 5.0
"""Seconds that a request waits for the keys."""

log = logging.getLogger(__name__)


class KeysUnavailableError(Exception):
    """Whether the token is good cannot be told now."""


class Keys:
    """clock: monotonic seconds"""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._client = PyJWKClient(url, cache_jwk_set=False, timeout=TIMEOUT)
        self._keys: dict[str, PyJWK] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._lock = Lock()

    def known(self, kid: str) -> PyJWK | None:
        """The key as last heard of; None where it is unknown. Raises `KeysUnavailableError` where nobody can tell."""
        key = self._keys.get(kid)
        if key is not None and self._age(self._fetched_at) < KEPT:
            return key
        if self._fetched_at is None or self._fetched_at != self._tried_at:
            raise KeysUnavailableError("The identity provider's keys cannot be fetched. Please try again in a moment.")
        return None

    def must_fetch(self, kid: str) -> bool:
        """Whether nothing can be said of a token with this key before the keys are fetched."""
        return self._age(self._tried_at) >= COOLDOWN and (kid not in self._keys or self._age(self._fetched_at) >= KEPT)

    def should_fetch(self) -> bool:
        """Whether it is time to fetch them, though nobody has to wait for that."""
        return self._age(self._tried_at) >= COOLDOWN and self._age(self._fetched_at) >= FRESH

    def fetch(self, kid: str) -> None:
        """Ask the provider where that is due. Takes up to `TIMEOUT`, and fails by leaving everything as it is."""
        must = self.must_fetch(kid)
        if (must or self.should_fetch()) and self._lock.acquire(blocking=must):
            try:  # who waited for another's answer has no question left
                if self.must_fetch(kid) or self.should_fetch():
                    self._fetch()
            finally:
                self._lock.release()

    def _fetch(self) -> None:
        asked_at = self.clock()
        try:
            found = {key.key_id: key for key in self._client.get_signing_keys() if key.key_id is not None}
        except (PyJWTError, OSError, ValueError) as error:
            # An answer that is no JSON is a ValueError; what is reset in mid-answer, an OSError.
            log.warning("keys not fetched", extra={"event": "jwks_failed", "error": type(error).__name__})
            self._tried_at = asked_at
            return
        self._keys, self._fetched_at, self._tried_at = found, asked_at, asked_at

    def _age(self, moment: float | None) -> float:
        return float("inf") if moment is None else self.clock() - moment


@lru_cache(maxsize=4)
def keys_at(url: str) -> Keys:
    return Keys(url)


@cache
def _fetcher() -> ThreadPoolExecutor:
    """A thread of its own: a provider that hangs must keep no database thread busy."""
    return ThreadPoolExecutor(1, thread_name_prefix="jwks")


async def prepare(keys: Keys, kid: str) -> None:
    """Have the keys fetched, and wait for that only where this one is unknown. Raises `KeysUnavailableError`."""
    if not keys.must_fetch(kid):
        if keys.should_fetch():
            _fetcher().submit(keys.fetch, kid)
        return
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(PATIENCE):
            await loop.run_in_executor(_fetcher(), keys.fetch, kid)
    except TimeoutError:
        raise KeysUnavailableError("The identity provider does not answer. Please try again in a moment.") from None
