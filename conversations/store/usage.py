"""What was used, added to the sums of the day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

from django.db import connection

from conversations.models import DailyUsage
from conversations.store import statements

BUCKETS_MS = (100, 250, 500, 1000, 2500, 5000, 10000)
COUNTERS = (
    "requests",
    "input_tokens",
    "output_tokens",
    "errors",
    "fallbacks",
    *(f"ttft_{bound}" for bound in BUCKETS_MS),
    "ttft_more",
)


@dataclass(frozen=True, slots=True)
class UsageKey:
    """owner_id: 0 for callers without an account"""

    day: date
    owner_id: int
    provider: str
    model: str


UsageSums = dict[str, int]
"""Counter's column -> how much to add to it."""


def bucket(time_to_first_token_ms: int) -> str:
    """The column that counts a reply with this time to its first token."""
    for bound in BUCKETS_MS:
        if time_to_first_token_ms <= bound:
            return f"ttft_{bound}"
    return "ttft_more"


def add_usage(usage: Mapping[UsageKey, UsageSums]) -> None:
    """Add the sums to the rows of their days, creating those that are missing; in one order for all processes."""
    if not usage:
        return
    rows = sorted(usage.items(), key=lambda item: (item[0].day, item[0].owner_id, item[0].provider, item[0].model))
    for key, sums in rows:
        day = connection.ops.adapt_datefield_value(key.day)
        values = [sums.get(name, 0) for name in COUNTERS]
        statements.run(_statement(), [day, key.owner_id, key.provider, key.model, *values])


@cache
def _statement() -> str:
    table = connection.ops.quote_name(DailyUsage._meta.db_table)
    columns = ("day", "owner_id", "provider", "model", *COUNTERS)
    added = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in COUNTERS)
    return (
        # Names of our own columns and table; all values are parameters.
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))}) "  # noqa: S608
        f"ON CONFLICT (day, owner_id, provider, model) DO UPDATE SET {added}"
    )
