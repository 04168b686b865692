"""From rounds to figures: medians, ratios within a run, and the bars they have to stay under."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from bench.rounds import Round
from bench.scenarios import Scenario, percentile

Measure = Callable[[Scenario, Round], float]
DIALOGIX, STORED, BASELINE, FLOOR, UPSTREAM = (
    "Dialogix",
    "Dialogix, stored",
    "SDK baseline",
    "byte proxy",
    "upstream itself",
)


def per_chunk(scenario: Scenario, one: Round) -> float:
    """Microseconds of CPU."""
    return one.cpu / scenario.replies / scenario.chunks * 1e6


def per_request(scenario: Scenario, one: Round) -> float:
    """Milliseconds of CPU."""
    return one.cpu / scenario.replies * 1e3


def per_stream(scenario: Scenario, one: Round) -> float:
    """KiB of memory for each stream that is open."""
    return (one.peak - one.idle) / 1024 / scenario.clients


def peak(scenario: Scenario, one: Round) -> float:
    """MiB."""
    return one.peak / 2**20


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure of Dialogix may be at most.

    against:  whose figure of the same round it is divided by; empty: the figure itself, in `unit`
    """

    scenario: str
    what: str
    measure: Measure
    against: str
    unstored: float
    stored: float
    unit: str = ""


BARS = (
    Bar("burst", "CPU per chunk, against the SDK baseline", per_chunk, BASELINE, 0.05, 0.06),
    Bar("paced", "CPU per chunk, against the SDK baseline", per_chunk, BASELINE, 0.28, 0.31),
    Bar("paced", "CPU per chunk, against the byte proxy", per_chunk, FLOOR, 2.3, 2.5),
    Bar("short", "CPU per request, against the SDK baseline", per_request, BASELINE, 0.45, 0.65),
    Bar("many", "memory per open stream", per_stream, "", 75, 85, "KiB"),
)
FIRST_TOKEN_BARS = (5.0, 8.0)
"""Milliseconds beyond the upstream, at the median."""


class Results:
    """All rounds of a run, by the names of scenario and subject; the rounds of one number belong together."""

    def __init__(self) -> None:
        self.scenarios: dict[str, Scenario] = {}
        self._rounds: dict[tuple[str, str], list[Round]] = {}

    def add(self, scenario: Scenario, subject: str, one: Round) -> None:
        self.scenarios[scenario.name] = scenario
        self._rounds.setdefault((scenario.name, subject), []).append(one)

    def rounds(self, scenario: str, subject: str) -> list[Round]:
        return self._rounds.get((scenario, subject), [])

    def median(self, scenario: str, subject: str, measure: Measure) -> float:
        shape = self.scenarios[scenario]
        return median(measure(shape, one) for one in self.rounds(scenario, subject))

    def ratio(self, scenario: str, subject: str, measure: Measure, against: str) -> float:
        """The median over the rounds of the ratio within each: what disturbed a round disturbed both of its sides."""
        shape = self.scenarios[scenario]
        pairs = zip(self.rounds(scenario, subject), self.rounds(scenario, against), strict=True)
        return median(measure(shape, one) / measure(shape, other) for one, other in pairs)

    def first_token(self, subject: str, share: float) -> float:
        """Milliseconds beyond the upstream's own median."""
        own = median(percentile(one.first, share) for one in self.rounds("first", subject))
        return own - median(percentile(one.first, 0.5) for one in self.rounds("first", UPSTREAM))

    def busiest(self) -> tuple[float, float]:
        """The largest share of a core that the upstream and the clients took in a round of a paced load."""
        paced = [one for (name, _), rounds in self._rounds.items() if name in ("paced", "many") for one in rounds]
        return max((one.upstream for one in paced), default=0.0), max((one.load for one in paced), default=0.0)

    def reached(self, bar: Bar, subject: str) -> float:
        if bar.against:
            return self.ratio(bar.scenario, subject, bar.measure, bar.against)
        return self.median(bar.scenario, subject, bar.measure)
