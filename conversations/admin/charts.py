"""Figures as Chart.js wants them; the theme brings it along and draws every canvas of the class `chart`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conversations.admin.figures import Days, Figures, summed

COLOURS = ("#6366f1", "#f59e0b", "#10b981", "#ec4899", "#0ea5e9", "#84cc16", "#a855f7", "#ef4444", "#14b8a6", "#f97316")
GREY = "#9ca3af"
MODELS_DRAWN = 9
OTHER = "other models"

Value = Callable[[Figures], float | None]


@dataclass(frozen=True, slots=True)
class Chart:
    """One canvas. note: what the drawing alone would not say"""

    title: str
    kind: str
    data: str
    options: str
    note: str = ""


def stacked(
    title: str, days: Days, models: Sequence[Figures], value: Value, *, unit: str = "", note: str = ""
) -> Chart:
    """A bar per day, made of what each model has of it, in the same colour in every chart of these models.

    value: what to draw; None where that is not known, and a model of which nothing is known is left out
    """
    drawn = [(row.provider, row.model) for row in models[:MODELS_DRAWN]]
    columns: dict[int, list[float]] = {}
    for column, rows in enumerate(days.values()):
        for row in rows:
            height, key = value(row), (row.provider, row.model)
            if height is not None:
                place = drawn.index(key) if key in drawn else len(drawn)
                columns.setdefault(place, [0.0] * len(days))[column] += height
    names = [*(model or "unknown" for _, model in drawn), OTHER]
    colours = (*COLOURS[: len(drawn)], GREY)
    sets = [
        {"label": names[place], "data": columns[place], "backgroundColor": colours[place]} for place in sorted(columns)
    ]
    return Chart(title, "bar", _data(days, sets), _options(stacked=True, unit=unit), note)


def lines(title: str, days: Days, values: Mapping[str, tuple[str, Value]], *, unit: str = "", note: str = "") -> Chart:
    """A line per name over the sums of each day; days without a value leave a gap."""
    whole = [summed(rows) for rows in days.values()]
    sets = [
        {
            "label": name,
            "data": [value(row) for row in whole],
            "borderColor": colour,
            "backgroundColor": colour,
            "spanGaps": True,
            "borderWidth": 2,
            "tension": 0.3,
            "pointRadius": 2,
        }
        for name, (colour, value) in values.items()
    ]
    return Chart(title, "line", _data(days, sets), _options(stacked=False, unit=unit), note)


def _data(days: Days, sets: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps({"labels": [f"{day:%b} {day.day}" for day in days], "datasets": sets})


def _options(*, stacked: bool, unit: str) -> str:
    ticks = {"color": GREY, "maxTicksLimit": 6}
    return json.dumps(
        {
            "animation": False,
            "responsive": True,
            "maintainAspectRatio": False,
            "maxBarThickness": 26,
            "interaction": {"mode": "index", "intersect": False},
            "plugins": {
                "legend": {
                    "position": "bottom",
                    "align": "start",
                    "labels": {"color": GREY, "boxWidth": 8, "boxHeight": 8, "usePointStyle": True},
                },
            },
            "scales": {
                "x": {
                    "stacked": stacked,
                    "grid": {"display": False},
                    "ticks": {"color": GREY, "maxTicksLimit": 10, "maxRotation": 0},
                },
                "y": {
                    "stacked": stacked,
                    "beginAtZero": True,
                    "grid": {"color": "#e5e7eb", "tickLength": 0},
                    "border": {"display": False},
                    "title": {"display": bool(unit), "text": unit, "color": GREY},
                    "ticks": ticks,
                },
            },
        }
    )
