from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.admin import figures
from conversations.admin.figures import BUCKETS, percentile
from conversations.models import DailyUsage

NOTHING = [0] * 8


def test_its_buckets_are_the_columns_of_the_usage() -> None:
    fields = {field.name for field in DailyUsage._meta.get_fields()}
    assert [name for name in fields if name.startswith("ttft_")] != []
    assert {name for name in fields if name.startswith("ttft_")} == set(BUCKETS)


def test_it_knows_no_percentile_of_nothing() -> None:
    assert percentile(NOTHING, 0.5) is None


@pytest.mark.parametrize(
    ("buckets", "share", "milliseconds"),
    [
        ([10, 0, 0, 0, 0, 0, 0, 0], 0.5, 50),
        ([0, 10, 0, 0, 0, 0, 0, 0], 0.5, 175),
        ([50, 50, 0, 0, 0, 0, 0, 0], 0.5, 100),
        ([50, 0, 0, 0, 50, 0, 0, 0], 0.95, 2350),
        ([0, 0, 0, 0, 0, 0, 0, 3], 0.5, 10_000),
    ],
)
def test_it_estimates_within_a_bucket(buckets: list[int], share: float, milliseconds: float) -> None:
    assert percentile(buckets, share) == pytest.approx(milliseconds)


@given(st.lists(st.integers(0, 1000), min_size=8, max_size=8).filter(any))
def test_it_puts_half_before_nearly_all(buckets: list[int]) -> None:
    half, nearly_all = percentile(buckets, 0.5), percentile(buckets, 0.95)
    assert half is not None
    assert nearly_all is not None
    assert 0 <= half <= nearly_all <= 10_000


def used(day: str, model: str = "gpt-4o", owner_id: int = 0, **counters: int) -> None:
    DailyUsage.objects.create(day=day, provider="gpt", model=model, owner_id=owner_id, **counters)


@pytest.mark.django_db
def test_it_adds_up_owners() -> None:
    used("2026-03-01", owner_id=1, requests=2, input_tokens=10, ttft_100=2)
    used("2026-03-01", owner_id=2, requests=3, input_tokens=5, ttft_250=3)
    ((row,),) = figures.per_day(date(2026, 3, 1), date(2026, 3, 1)).values()
    assert (row.requests, row.input_tokens, row.buckets[:2]) == (5, 15, [2, 3])


@pytest.mark.django_db
def test_it_includes_both_ends_and_days_without_any() -> None:
    for day in ("2026-02-28", "2026-03-01", "2026-03-03", "2026-03-04"):
        used(day, requests=1)
    days = figures.per_day(date(2026, 3, 1), date(2026, 3, 3))
    assert {day.day: len(rows) for day, rows in days.items()} == {1: 1, 2: 0, 3: 1}


@pytest.mark.django_db
def test_it_says_unknown_where_a_price_is() -> None:
    used("2026-03-01", model="llama-of-the-house", requests=1, input_tokens=10)
    used("2026-03-01", requests=1, input_tokens=1_000_000)
    rows = figures.by_model(figures.per_day(date(2026, 3, 1), date(2026, 3, 1)))
    assert {row.model: row.cost_text for row in rows} == {"gpt-4o": "$2.50", "llama-of-the-house": "unknown"}
    assert figures.summed(rows).cost_text == "$2.50 + unknown"


@pytest.mark.django_db
def test_it_knows_that_replies_without_tokens_cost_nothing() -> None:
    used("2026-03-01", model="llama-of-the-house", requests=1, errors=1)
    (row,) = figures.by_model(figures.per_day(date(2026, 3, 1), date(2026, 3, 1)))
    assert row.known_cost == Decimal(0)
    assert row.cost_text == "$0.00"


@pytest.mark.django_db
def test_it_lists_the_busiest_model_first() -> None:
    used("2026-03-01", model="a", requests=1)
    used("2026-03-01", model="b", requests=9)
    used("2026-03-02", model="a", requests=1)
    days = figures.per_day(date(2026, 3, 1), date(2026, 3, 2))
    assert [(row.model, row.requests) for row in figures.by_model(days)] == [("b", 9), ("a", 2)]
