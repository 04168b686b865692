from __future__ import annotations

import html
import json
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext

from conversations.admin.dashboard import LONGEST, Period, period_of
from conversations.models import DailyUsage
from tests.conversations.admin.people import page, staff

pytestmark = pytest.mark.django_db

TODAY = date(2026, 3, 10)


def used(days_ago: int = 0, model: str = "gpt-4o", provider: str = "gpt", **counters: int) -> None:
    day = datetime.now(UTC).date() - timedelta(days=days_ago)
    DailyUsage.objects.create(day=day, provider=provider, model=model, **{"requests": 1, **counters})


def dashboard(query: str = "") -> str:
    return page(staff("view_dailyusage"), f"/admin/{query}")


def charts(text: str) -> dict[str, Any]:
    """Title -> what Chart.js is given."""
    found = re.findall(r'aria-label="([^"]*) per day"[^>]*data-value="([^"]*)"', text)
    return {title: json.loads(html.unescape(data)) for title, data in found}


def drawn(title: str, query: str = "") -> dict[str, list[float]]:
    return {each["label"]: each["data"] for each in charts(dashboard(query))[title]["datasets"]}


def test_it_draws_what_was_asked_for() -> None:
    used()
    assert list(charts(dashboard())) == ["Replies", "Tokens", "Cost", "Time to first token", "Errors", "Fallbacks"]


def test_it_draws_replies_by_day_and_model() -> None:
    used(0, requests=5)
    used(6, "gpt-4o-mini", requests=2)
    assert drawn("Replies", "?days=7") == {"gpt-4o": [0, 0, 0, 0, 0, 0, 5], "gpt-4o-mini": [2, 0, 0, 0, 0, 0, 0]}


def test_it_draws_no_cost_of_models_whose_price_is_unknown() -> None:
    used(0, input_tokens=1_000_000)
    used(0, "llama-of-the-house", input_tokens=1_000_000)
    assert drawn("Cost", "?days=7") == {"gpt-4o": [0, 0, 0, 0, 0, 0, 2.5]}
    assert "as their price is unknown: llama-of-the-house" in dashboard()


def test_it_draws_a_model_in_one_colour_everywhere() -> None:
    used(0, "llama-of-the-house", requests=9, input_tokens=1)
    used(0, requests=5, input_tokens=1)
    drawings = charts(dashboard()).values()
    bars = [each for drawing in drawings for each in drawing["datasets"] if each["label"] == "gpt-4o"]
    assert len({each["backgroundColor"] for each in bars}) == 1


def test_it_draws_the_time_to_the_first_token() -> None:
    used(0, requests=100, ttft_100=50, ttft_2500=50)
    assert {name: line[-1] for name, line in drawn("Time to first token").items()} == {"p50": 100, "p95": 2350}


def test_it_leaves_a_gap_where_nothing_was_answered() -> None:
    used(0, ttft_100=1)
    assert drawn("Time to first token", "?days=7")["p50"][:6] == [None] * 6


def test_it_draws_errors_and_fallbacks() -> None:
    used(0, errors=3, fallbacks=4)
    assert (drawn("Errors")["gpt-4o"][-1], drawn("Fallbacks")["gpt-4o"][-1]) == (3, 4)


def test_it_draws_many_models_together() -> None:
    for number in range(12):
        used(0, f"model-{number:02}", requests=100 - number)
    bars = drawn("Replies")
    assert len(bars) == 10
    assert bars["other models"][-1] == 91 + 90 + 89


def test_it_shows_one_model() -> None:
    used(0, requests=5)
    used(0, "gpt-4o-mini", requests=2)
    assert list(drawn("Replies", "?model=gpt-4o-mini")) == ["gpt-4o-mini"]


def test_it_compares_with_the_days_before() -> None:
    used(0, requests=5)
    used(8, requests=3)
    cards = re.sub(r"\s+", " ", dashboard("?days=7"))
    assert '<strong>5</strong> <small title="In the 7 days before">before: 3</small>' in cards


def test_it_sums_owners_in_the_database() -> None:
    day = datetime.now(UTC).date()
    for owner in range(50):
        DailyUsage.objects.create(day=day, owner_id=owner, provider="gpt", model="gpt-4o", requests=1)
    client = staff("view_dailyusage")
    page(client, "/admin/")
    with CaptureQueriesContext(connection) as queries:
        page(client, "/admin/")
    assert len([query for query in queries if "dailyusage" in query["sql"]]) == 3


def test_it_shows_names_of_models_as_text() -> None:
    used(0, "<img src=x onerror=alert(1)>", input_tokens=5)
    assert "<img src=x" not in dashboard()


def test_it_bears_having_nothing_to_show() -> None:
    assert "Nothing was answered in this period." in dashboard()


def test_it_keeps_the_figures_from_those_who_may_not_see_the_usage() -> None:
    used(0, "gpt-secret")
    text = page(staff("view_conversation"), "/admin/")
    assert "gpt-secret" not in text
    assert 'class="chart"' not in text


def test_it_is_no_business_of_strangers() -> None:
    assert Client().get("/admin/").status_code == 302


def test_it_takes_its_charts_from_this_server() -> None:
    assert re.findall(r'(?:src|href)="(?:https?:)?//[^"]*"', dashboard()) == []


@pytest.mark.parametrize(
    ("query", "begin", "end"),
    [
        ("", date(2026, 2, 9), TODAY),
        ("days=7", date(2026, 3, 4), TODAY),
        ("days=8", date(2026, 2, 9), TODAY),
        ("days=x", date(2026, 2, 9), TODAY),
        ("from=2026-03-01&to=2026-03-02", date(2026, 3, 1), date(2026, 3, 2)),
        ("from=2026-03-01", date(2026, 3, 1), TODAY),
        ("to=2026-03-01", date(2026, 3, 1), date(2026, 3, 1)),
        ("from=2026-03-02&to=2026-03-01", date(2026, 2, 9), TODAY),
        ("from=2026-03-01&to=2030-01-01", date(2026, 3, 1), TODAY),
        ("from=2026-02-30", date(2026, 2, 9), TODAY),
        ("from=yesterday&to=", date(2026, 2, 9), TODAY),
        ("from=0001-01-01", TODAY - timedelta(days=LONGEST - 1), TODAY),
    ],
)
def test_it_understands_a_period(query: str, begin: date, end: date) -> None:
    assert period_of(QueryDict(query), TODAY) == Period(begin, end)


def test_it_bears_the_first_days_of_all() -> None:
    dashboard("?from=0001-01-01&to=0001-01-05")
