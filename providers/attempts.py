"""One try of one model: how long it took, how it ended, what the breaker learns of it, and its one line in the log."""

from __future__ import annotations

import logging
from collections.abc import Callable

from providers.breaker import Breaker
from providers.errors import ProviderError, TimedOut
from providers.events import Attempted

logger = logging.getLogger(__name__)


class Attempt:
    """A try under way. `closed` is called at its end whatever happened, after `completed` or `failed` if one was.

    clock: monotonic seconds
    """

    def __init__(self, provider: str, model: str, breaker: Breaker, clock: Callable[[], float]) -> None:
        self.provider = provider
        self.model = model
        self._breaker = breaker
        self._clock = clock
        self._began = clock()
        self._first: float | None = None
        self._logged = False

    @property
    def has_text(self) -> bool:
        return self._first is not None

    def answered(self) -> None:
        """The first text is here."""
        self._first = self._clock()
        self._breaker.answered((self.provider, self.model))

    def completed(self) -> None:
        self._log("complete")

    def failed(self, error: ProviderError) -> Attempted:
        """What is told and stored of the failure."""
        if not self.has_text:
            self._tell_breaker(error)
        self._log(error.kind, error.status)
        return Attempted(
            self.provider, self.model, error.kind, error.status, str(error), self._milliseconds(self._clock())
        )

    def closed(self) -> None:
        """Nobody wanted the rest: neither the vendor nor the breaker has a part in that."""
        if not self._logged:
            self._log("cancelled")

    def _tell_breaker(self, error: ProviderError) -> None:
        key = (self.provider, self.model)
        if isinstance(error, TimedOut):
            self._breaker.timed_out(key)
        elif error.retryable:  # the others never reached the vendor
            self._breaker.answered(key)

    def _milliseconds(self, now: float) -> int:
        return round((now - self._began) * 1000)

    def _log(self, outcome: str, status: int | None = None) -> None:
        self._logged = True
        level = logging.INFO if outcome in ("complete", "cancelled") else logging.WARNING
        fields = {
            "provider": self.provider,
            "model": self.model,
            "outcome": outcome,
            "status": status,
            "duration_ms": self._milliseconds(self._clock()),
            "time_to_first_token_ms": None if self._first is None else self._milliseconds(self._first),
        }
        logger.log(level, "attempt of %s: %s", self.model, outcome, extra=fields)
