"""The loads, and who is put under them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from providers.simulator.scripts import Script


@dataclass(frozen=True, slots=True)
class Scenario:
    """So many clients at once, each asking so often, one question after the other on one connection.

    script:   what the upstream sends
    chunks:   how many deltas that are
    spread:   seconds over which the clients begin, so that their chunks do not come in step
    fresh:    each round gets a server of its own
    """

    name: str
    meaning: str
    script: Script
    chunks: int
    clients: int
    requests: int
    spread: float = 0.0
    fresh: bool = False

    @property
    def replies(self) -> int:
        return self.clients * self.requests


@dataclass(frozen=True, slots=True)
class Subject:
    """A way to be served. server: the process that serves it;  stored: each request begins a conversation"""

    name: str
    server: str
    stored: bool = False


def _paced(chunks: int, delay: float) -> Script:
    return Script(chunks=chunks, delay=delay)


BURST = Scenario("burst", "one stream at full speed", Script(chunks=4000, burst=True), 4000, 1, 5)
PACED = Scenario("paced", "50 streams of 50 chunks a second, each a network read", _paced(250, 0.02), 250, 50, 1, 1)
SHORT = Scenario("short", "20 chunks at once, one request after the other", Script(chunks=20, burst=True), 20, 1, 500)
MANY = Scenario("many", "500 streams open at once, a chunk a second each", _paced(12, 1.0), 12, 500, 1, 4, fresh=True)
FIRST = Scenario("first", "the first token, one client at a time", _paced(3, 0.005), 3, 1, 150)
WARM_UP = replace(SHORT, name="warm-up", requests=60)

SCENARIOS = (BURST, PACED, SHORT, MANY, FIRST)
QUICK = (
    replace(BURST, requests=2),
    replace(PACED, script=_paced(100, 0.02), chunks=100),
    replace(SHORT, requests=60),
    replace(MANY, meaning="200 streams at once", script=_paced(8, 0.5), chunks=8, clients=200, spread=1.0, fresh=False),
    replace(FIRST, requests=40),
)

SUBJECTS = (
    Subject("Dialogix", "dialogix"),
    Subject("Dialogix, stored", "dialogix", stored=True),
    Subject("SDK baseline", "baseline"),
    Subject("byte proxy", "floor"),
)
UPSTREAM = Subject("upstream itself", "simulator")


def percentile(values: list[float], share: float) -> float:
    """The smallest value that is not below `share` of them."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
