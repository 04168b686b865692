"""The admin's front page: what was answered, with what, how fast and for how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.http import HttpRequest, QueryDict
from django.utils.dateparse import parse_date

from conversations import formats
from conversations.admin import charts, figures
from conversations.admin.charts import Chart
from conversations.admin.figures import Days, Figures
from conversations.admin.filters import recent_models

PERIODS = (7, 30, 90)
DEFAULT_PERIOD = 30
LONGEST = 366
EARLIEST = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class Card:
    """A figure of the period, and how it stood in the one before of the same length."""

    title: str
    value: str
    before: str


@dataclass(frozen=True, slots=True)
class Period:
    begin: date
    end: date

    @property
    def days(self) -> int:
        return (self.end - self.begin).days + 1

    @property
    def before(self) -> Period:
        return Period(self.begin - timedelta(days=self.days), self.begin - timedelta(days=1))


def period_of(query: QueryDict, today: date) -> Period:
    """`days` back from today, or `from` and `to`; what makes no sense is the last 30 days."""
    try:
        begin, end = parse_date(query.get("from", "")), parse_date(query.get("to", ""))
    except ValueError:
        begin = end = None
    if begin or end:
        end = max(min(end or today, today), EARLIEST)
        begin = max(begin or end, end - timedelta(days=LONGEST - 1))
        if begin <= end:
            return Period(begin, end)
    days = query.get("days", "")
    count = int(days) if days in map(str, PERIODS) else DEFAULT_PERIOD
    return Period(today - timedelta(days=count - 1), today)


def dashboard(request: HttpRequest) -> dict[str, Any]:
    """The page's context; without the permission to see the usage only that it is missing."""
    if not request.user.has_perm("conversations.view_dailyusage"):
        return {"usage": False}
    today = datetime.now(UTC).date()
    period = period_of(request.GET, today)
    models = recent_models()
    model = request.GET.get("model", "") if request.GET.get("model", "") in models else ""
    days = figures.per_day(period.begin, period.end, model)
    before = figures.per_day(period.before.begin, period.before.end, model)
    per_model = figures.by_model(days)
    whole = figures.summed(per_model)
    return {
        "usage": True,
        "periods": [(days, period == Period(today - timedelta(days=days - 1), today)) for days in PERIODS],
        "period": period,
        "models": models,
        "model": model,
        "cards": _cards(whole, figures.summed(figures.by_model(before))),
        "charts": _charts(days, per_model),
        "per_model": per_model,
        "whole": whole,
    }


def _cards(now: Figures, then: Figures) -> Sequence[Card]:
    return (
        Card("Replies", formats.compact(now.requests), formats.compact(then.requests)),
        Card("Tokens", formats.compact(now.tokens), formats.compact(then.tokens)),
        Card("Cost", now.cost_text, then.cost_text),
        Card("First token, p50", formats.milliseconds(now.p50), formats.milliseconds(then.p50)),
        Card("First token, p95", formats.milliseconds(now.p95), formats.milliseconds(then.p95)),
        Card("Errors", f"{now.error_rate:.1%}", f"{then.error_rate:.1%}"),
        Card("Fallbacks", formats.compact(now.fallbacks), formats.compact(then.fallbacks)),
    )


def _charts(days: Days, models: Sequence[Figures]) -> Sequence[Chart]:
    unpriced = [row.model or "unknown" for row in models if None in row.costs]
    note = f"Not in it, as their price is unknown: {', '.join(unpriced)}." if unpriced else "List prices, US dollars."
    return (
        charts.stacked("Replies", days, models, lambda row: row.requests),
        charts.stacked("Tokens", days, models, lambda row: row.tokens, note="Read and written together."),
        charts.stacked("Cost", days, models, _cost, unit="US dollars", note=note),
        charts.lines(
            "Time to first token",
            days,
            {"p50": (charts.COLOURS[0], lambda row: row.p50), "p95": (charts.COLOURS[1], lambda row: row.p95)},
            unit="milliseconds",
            note="Estimated from counts of replies up to 100, 250, 500 ms and so on. Per model: the table below.",
        ),
        charts.stacked("Errors", days, models, lambda row: row.errors, note="Replies that failed."),
        charts.stacked(
            "Fallbacks",
            days,
            models,
            lambda row: row.fallbacks,
            note="Replies of this model after another had been asked first and failed.",
        ),
    )


def _cost(row: Figures) -> float | None:
    """US dollars of one model on one day; None where its price is unknown."""
    return None if None in row.costs else round(float(row.known_cost), 6)
