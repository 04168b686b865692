"""Numbers as people read them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol

from conversations import prices

UNKNOWN = "unknown"
CENTS = Decimal("0.1")

STATUS_COLOURS = {
    "complete": "success",
    "streaming": "info",
    "cancelled": "warning",
    "interrupted": "warning",
    "failed": "danger",
}


class Tallied(Protocol):
    """A row that says which model used how many tokens for how many replies."""

    provider: str
    model: str
    requests: int
    input_tokens: int
    output_tokens: int


def cost_of(row: Tallied) -> Decimal | None:
    return prices.cost(row.provider, row.model, row.input_tokens, row.output_tokens, requests=row.requests)


def dollars(amount: Decimal | None) -> str:
    """Two decimals, more where it is less than ten cents; never rounded down to nothing."""
    if amount is None:
        return UNKNOWN
    if amount and amount < Decimal("0.0001"):
        return "< $0.0001"
    return f"${amount:,.2f}" if amount >= CENTS or not amount else f"${amount:.4f}"


def dollars_of(costs: Iterable[Decimal | None]) -> str:
    """A sum that says so where a part of it is unknown."""
    known = list(costs)
    if None not in known:
        return dollars(prices.total(known))
    rest = [each for each in known if each is not None]
    return f"{dollars(prices.total(rest))} + {UNKNOWN}" if any(rest) else UNKNOWN


def moment(when: datetime) -> str:
    """To the minute, in UTC."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M}"


def milliseconds(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.0f} ms" if value < 1000 else f"{value / 1000:.1f} s"


def compact(count: int) -> str:
    """1234567 -> 1.2M"""
    for bound, letter in ((1_000_000_000, "B"), (1_000_000, "M"), (10_000, "k")):
        if count >= bound:
            return f"{count / (1000 if letter == 'k' else bound):.1f}{letter}"
    return f"{count:,}"
