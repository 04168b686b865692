from __future__ import annotations

from datetime import date

import pytest

from conversations.models import DailyUsage
from conversations.store.usage import COUNTERS, UsageKey, add_usage, bucket

KEY = UsageKey(date(2026, 1, 5), 7, "gpt", "gpt-4o")


@pytest.mark.django_db
def test_it_adds_to_what_is_there() -> None:
    add_usage({KEY: {"requests": 1, "input_tokens": 10}})
    add_usage({KEY: {"requests": 2, "output_tokens": 5, "errors": 1}})
    row = DailyUsage.objects.get()
    assert (row.requests, row.input_tokens, row.output_tokens, row.errors) == (3, 10, 5, 1)


@pytest.mark.django_db
def test_it_adds_to_every_counter() -> None:
    for _ in range(2):
        add_usage({KEY: dict.fromkeys(COUNTERS, 2_000_000_000)})
    assert set(DailyUsage.objects.values_list(*COUNTERS)) == {(4_000_000_000,) * len(COUNTERS)}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "other",
    [
        UsageKey(date(2026, 1, 6), 7, "gpt", "gpt-4o"),
        UsageKey(date(2026, 1, 5), 0, "gpt", "gpt-4o"),
        UsageKey(date(2026, 1, 5), 7, "claude", "gpt-4o"),
        UsageKey(date(2026, 1, 5), 7, "gpt", "gpt-4o-mini"),
    ],
)
def test_it_keeps_apart_day_owner_provider_and_model(other: UsageKey) -> None:
    add_usage({KEY: {"requests": 1}, other: {"requests": 1}})
    assert list(DailyUsage.objects.values_list("requests", flat=True)) == [1, 1]


@pytest.mark.django_db
def test_nothing_used_is_nothing_written() -> None:
    add_usage({})
    assert not DailyUsage.objects.exists()


@pytest.mark.parametrize(
    ("milliseconds", "column"),
    [(0, "ttft_100"), (100, "ttft_100"), (101, "ttft_250"), (10_000, "ttft_10000"), (10_001, "ttft_more")],
)
def test_a_time_to_first_token_has_its_column(milliseconds: int, column: str) -> None:
    assert bucket(milliseconds) == column
