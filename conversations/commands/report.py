"""What was used, added up by whatever is asked for, and how it is written."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
from django.utils.text import Truncator

from conversations.formats import UNKNOWN, cost_of, dollars_of
from conversations.models import DailyUsage, User

GROUPS = ("day", "model", "owner")
SUMS = ("requests", "input_tokens", "output_tokens", "errors", "fallbacks")
LONGEST_NAME = 40


@dataclass(slots=True)
class Row:
    """keys: column -> value of what it is the sum of;  costs: one per day, owner and model, None where unknown"""

    keys: dict[str, str]
    sums: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SUMS, 0))
    costs: list[Decimal | None] = field(default_factory=list)

    @property
    def cost(self) -> Decimal | None:
        """US dollars; None where a part of it is unknown."""
        return None if None in self.costs else sum((cost for cost in self.costs if cost), Decimal(0))

    @property
    def known_cost(self) -> Decimal:
        return sum((cost for cost in self.costs if cost), Decimal(0))

    def add(self, usage: DailyUsage) -> None:
        for name in SUMS:
            self.sums[name] += getattr(usage, name)
        self.costs.append(cost_of(usage))


def rows(usage: Iterable[DailyUsage], groups: Collection[str]) -> list[Row]:
    """One per combination of what `groups` names, in that order."""
    found: dict[tuple[str, ...], Row] = {}
    kept = list(usage)
    names = _names({each.owner_id for each in kept}) if "owner" in groups else {}
    for each in kept:
        keys = _keys(each, groups, names)
        found.setdefault(tuple(keys.values()), Row(keys)).add(each)
    return [found[keys] for keys in sorted(found)]


def total(found: Sequence[Row]) -> Row:
    whole = Row({})
    for row in found:
        for name, amount in row.sums.items():
            whole.sums[name] += amount
        whole.costs += row.costs
    return whole


def _keys(usage: DailyUsage, groups: Collection[str], names: Mapping[int, str]) -> dict[str, str]:
    keys: dict[str, str] = {}
    if "day" in groups:
        keys["day"] = usage.day.isoformat()
    if "model" in groups:
        keys |= {"provider": usage.provider, "model": usage.model}
    if "owner" in groups:
        keys["owner"] = names.get(usage.owner_id) or (f"(erased: {usage.owner_id})" if usage.owner_id else "")
    return keys


def _names(owners: Collection[int]) -> dict[int, str]:
    return dict(User.objects.filter(pk__in=owners).values_list("pk", "username"))


def within(since: date | None, until: date | None) -> Iterable[DailyUsage]:
    found = DailyUsage.objects.all()
    if since is not None:
        found = found.filter(day__gte=since)
    if until is not None:
        found = found.filter(day__lte=until)
    return found.order_by("day", "provider", "model", "owner_id").iterator()


def as_table(found: Sequence[Row]) -> str:
    """Columns, with the sum of all below."""
    if not found:
        return "Nothing was used in that time.\n"
    heads = [*found[0].keys, *SUMS, "cost"]
    cells = [[*map(_short, row.keys.values()), *_amounts(row)] for row in found]
    whole = ["total", *[""] * (len(found[0].keys) - 1)] if found[0].keys else []
    cells += [[*whole, *_amounts(total(found))]]
    texts = len(found[0].keys)
    widths = [max(len(line[column]) for line in [heads, *cells]) for column in range(len(heads))]
    lines = [heads, ["-" * width for width in widths], *cells[:-1], ["-" * width for width in widths], cells[-1]]
    return "".join(
        "  ".join(cell.ljust(width) if column < texts else cell.rjust(width) for column, (cell, width) in each).rstrip()
        + "\n"
        for each in (list(enumerate(zip(line, widths, strict=True))) for line in lines)
    )


def as_csv(found: Sequence[Row], groups: Collection[str]) -> str:
    output = io.StringIO()
    keys = [
        name
        for group in GROUPS
        if group in groups
        for name in (("provider", "model") if group == "model" else (group,))
    ]
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow([*keys, *SUMS, "cost_usd"])
    for row in found:
        writer.writerow(
            [*map(_harmless, row.keys.values()), *row.sums.values(), UNKNOWN if row.cost is None else row.cost]
        )
    return output.getvalue()


def as_json(found: Sequence[Row]) -> str:
    """`cost` is null where a part of it is unknown; `known_cost` is the rest."""
    encoded = msgspec.json.encode({"rows": [_told(row) for row in found], "total": _told(total(found))})
    return msgspec.json.format(encoded, indent=2).decode() + "\n"


def _told(row: Row) -> dict[str, Any]:
    cost = None if row.cost is None else float(row.cost)
    return {**row.keys, **row.sums, "cost": cost, "known_cost": float(row.known_cost)}


def _amounts(row: Row) -> list[str]:
    return [*(f"{amount:,}" for amount in row.sums.values()), dollars_of(row.costs)]


def _short(text: str) -> str:
    return Truncator(text).chars(LONGEST_NAME) or "-"


def _harmless(text: str) -> str:
    """Spreadsheets take a cell that begins like this for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
