"""Sums over the usage per day, and what can be said from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Sum

from conversations import formats
from conversations.models import DailyUsage
from conversations.store.usage import BUCKETS_MS, COUNTERS

BOUNDS = (0, *BUCKETS_MS)
BUCKETS = COUNTERS[-len(BOUNDS) :]
"""Columns of replies by their time to the first token: up to each bound, and more than the last."""


@dataclass(slots=True)
class Figures:
    """The counters of one model, or of several.

    costs: one per model and day, None where its price is unknown
    """

    provider: str = ""
    model: str = ""
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    errors: int = 0
    fallbacks: int = 0
    buckets: list[int] = field(default_factory=lambda: [0] * len(BUCKETS))
    costs: list[Decimal | None] = field(default_factory=list)

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    @property
    def p50(self) -> float | None:
        return percentile(self.buckets, 0.5)

    @property
    def p95(self) -> float | None:
        return percentile(self.buckets, 0.95)

    @property
    def known_cost(self) -> Decimal:
        return sum((cost for cost in self.costs if cost is not None), Decimal(0))

    @property
    def cost_text(self) -> str:
        return formats.dollars_of(self.costs)

    @property
    def error_rate(self) -> float:
        return self.errors / self.requests if self.requests else 0.0

    def add(self, other: Figures) -> None:
        for name in ("requests", "input_tokens", "output_tokens", "errors", "fallbacks"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.buckets = [mine + theirs for mine, theirs in zip(self.buckets, other.buckets, strict=True)]
        self.costs += other.costs


def percentile(buckets: Sequence[int], share: float) -> float | None:
    """Milliseconds within which `share` of the replies had begun, estimated: even within a bucket.

    None where there are none. Beyond the last bound nothing is known but that bound, which then is the answer.
    """
    rank, below = share * sum(buckets), 0
    for index, count in enumerate(buckets):
        if count and below + count >= rank:
            if index == len(BUCKETS_MS):
                return float(BUCKETS_MS[-1])
            low, high = BOUNDS[index], BUCKETS_MS[index]
            return low + (high - low) * (rank - below) / count
        below += count
    return None


Days = Mapping[date, Sequence[Figures]]


def per_day(begin: date, end: date, model: str = "") -> Days:
    """Day -> figures per model, over all owners, days without any included; both ends belong to it."""
    rows = DailyUsage.objects.filter(day__gte=begin, day__lte=end)
    if model:
        rows = rows.filter(model=model)
    sums = rows.values_list("day", "provider", "model").annotate(*(Sum(name) for name in COUNTERS))
    days: dict[date, list[Figures]] = {begin + timedelta(days=n): [] for n in range((end - begin).days + 1)}
    for day, provider, name, *counted in sums.order_by("day", "provider", "model"):
        days[day].append(_figures(provider, name, counted))
    return days


def _figures(provider: str, model: str, counted: Sequence[int]) -> Figures:
    requests, tokens_in, tokens_out, errors, fallbacks, *buckets = counted
    row = Figures(provider, model, requests, tokens_in, tokens_out, errors, fallbacks, buckets)
    if row.tokens:
        row.costs = [formats.cost_of(row)]
    return row


def summed(rows: Iterable[Figures]) -> Figures:
    whole = Figures()
    for row in rows:
        whole.add(row)
    return whole


def by_model(days: Days) -> Sequence[Figures]:
    """One row per model over all days, the busiest first."""
    found: dict[tuple[str, str], Figures] = {}
    for rows in days.values():
        for row in rows:
            found.setdefault((row.provider, row.model), Figures(row.provider, row.model)).add(row)
    return sorted(found.values(), key=lambda row: (-row.requests, row.provider, row.model))
