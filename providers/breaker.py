"""The circuit breaker: a model that hangs again and again is left alone for a while.

Only timeouts count: an answered error costs nothing worth sparing. The state is this process's own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Key = tuple[str, str]
"""Provider and model."""

State = Literal["closed", "open", "half_open"]


@dataclass(slots=True)
class _Circuit:
    timeouts: int = 0
    open_until: float | None = None


class Breaker:
    """`threshold` timeouts in a row open a model's circuit for `seconds`; then one probe decides.

    clock: monotonic seconds
    """

    def __init__(
        self, *, threshold: int = 5, seconds: float = 30.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._threshold = threshold
        self._seconds = seconds
        self._clock = clock
        self._circuits: dict[Key, _Circuit] = {}

    def state(self, key: Key) -> State:
        """`half_open`: the pause is over, and the next try is the probe."""
        circuit = self._circuits.get(key)
        if circuit is None or circuit.open_until is None:
            return "closed"
        return "open" if self._clock() < circuit.open_until else "half_open"

    def states(self) -> dict[Key, State]:
        """The state of every model that was tried so far, for the metrics."""
        return {key: self.state(key) for key in self._circuits}

    def begin(self, key: Key) -> bool:
        """Whether a try may be made now. The probe closes the door behind itself: the others wait for its outcome,
        and if it has none (the client left) for another pause."""
        state = self.state(key)
        circuit = self._circuits.setdefault(key, _Circuit())
        if state == "half_open":
            circuit.open_until = self._clock() + self._seconds
        return state != "open"

    def answered(self, key: Key) -> None:
        """Any answer, also an error, ends the row of timeouts."""
        self._circuits[key] = _Circuit()

    def timed_out(self, key: Key) -> None:
        circuit = self._circuits.setdefault(key, _Circuit())
        circuit.timeouts += 1
        if circuit.timeouts >= self._threshold:
            circuit.open_until = self._clock() + self._seconds
