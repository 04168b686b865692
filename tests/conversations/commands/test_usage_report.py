from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest

from conversations.models import DailyUsage, User
from tests.conversations.commands.running import run

pytestmark = pytest.mark.django_db

TODAY = datetime.now(UTC).date()


def used(days_ago: int = 0, model: str = "gpt-4o", owner_id: int = 0, requests: int = 1, **sums: int) -> None:
    day: date = TODAY - timedelta(days=days_ago)
    DailyUsage.objects.create(
        day=day, owner_id=owner_id, provider="gpt", model=model, requests=requests,
        **{"input_tokens": 1_000_000, "output_tokens": 0, **sums},
    )  # fmt: skip


def report(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("usage_report", "--format", "json", *arguments).out)
    return found


def test_it_has_a_row_for_each_day_and_model() -> None:
    used(1)
    used(0)
    used(0, "gpt-4o-mini")
    assert [(row["day"], row["model"]) for row in report()["rows"]] == [
        ((TODAY - timedelta(days=1)).isoformat(), "gpt-4o"),
        (TODAY.isoformat(), "gpt-4o"),
        (TODAY.isoformat(), "gpt-4o-mini"),
    ]


def test_it_adds_up_owners() -> None:
    used(owner_id=0, requests=2)
    used(owner_id=1, requests=3)
    assert report()["rows"][0]["requests"] == 5


def test_it_has_a_row_for_each_owner() -> None:
    ada = User.objects.create_user("ada")
    used(owner_id=0)
    used(owner_id=ada.pk)
    used(owner_id=ada.pk + 1)
    owners = [row["owner"] for row in report("--by", "owner")["rows"]]
    assert owners == ["", f"(erased: {ada.pk + 1})", "ada"]


def test_it_adds_up_everything() -> None:
    used(0, requests=2, errors=1)
    used(1, requests=3, fallbacks=1)
    whole = report()["total"]
    assert (whole["requests"], whole["errors"], whole["fallbacks"]) == (5, 1, 1)


@pytest.mark.parametrize(
    ("arguments", "days"),
    [
        ([], [0, 5, 29]),
        (["--days", "1"], [0]),
        (["--days", "6"], [0, 5]),
        (["--since", "2000-01-01"], [0, 5, 29, 30]),
        (["--until", str(TODAY - timedelta(days=5)), "--days", "30"], [5, 29, 30]),
    ],
)
def test_it_takes_a_time(arguments: list[str], days: list[int]) -> None:
    for ago in (0, 5, 29, 30):
        used(ago)
    expected = [(TODAY - timedelta(days=ago)).isoformat() for ago in reversed(days)]
    assert [row["day"] for row in report("--by", "day", *arguments)["rows"]] == expected


def test_it_says_what_it_cost() -> None:
    used(model="gpt-4o", requests=1000)
    assert report()["total"]["cost"] == pytest.approx(2.5)


def test_it_does_not_take_the_unknown_for_nothing() -> None:
    used(model="gpt-4o", requests=1000)
    used(model="llama-of-ours")
    whole = report()["total"]
    assert (whole["cost"], whole["known_cost"]) == (None, pytest.approx(2.5))


def test_a_table_says_unknown() -> None:
    used(model="llama-of-ours")
    assert run("usage_report").out.splitlines()[2].endswith("unknown")


def test_a_table_ends_with_the_sum() -> None:
    used(0, requests=1200)
    used(1, requests=34)
    assert run("usage_report").out.splitlines()[-1].split()[:2] == ["total", "1,234"]


def test_a_table_says_that_there_is_nothing() -> None:
    assert run("usage_report").out == "Nothing was used in that time.\n"


def test_csv_has_the_columns_by_name() -> None:
    used(model="llama-of-ours", requests=7)
    rows = list(csv.DictReader(StringIO(run("usage_report", "--by", "model", "--format", "csv").out)))
    assert (rows[0]["model"], rows[0]["requests"], rows[0]["cost_usd"]) == ("llama-of-ours", "7", "unknown")


def test_csv_has_its_head_when_there_is_nothing() -> None:
    head = "day,provider,model,requests,input_tokens,output_tokens,errors,fallbacks,cost_usd\n"
    assert run("usage_report", "--format", "csv").out == head


def test_csv_holds_no_formula() -> None:
    ada = User.objects.create_user("=1+1")
    used(owner_id=ada.pk)
    assert "\n'=1+1," in run("usage_report", "--by", "owner", "--format", "csv").out


@pytest.mark.parametrize("arguments", [["--days", "0"], ["--since", "yesterday"], ["--by", "colour"]])
def test_it_refuses_what_is_no_time(arguments: list[str]) -> None:
    assert run("usage_report", *arguments).error
