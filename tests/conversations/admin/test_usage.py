from __future__ import annotations

import re
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conversations.models import DailyUsage, User
from tests.conversations.admin.people import page, staff

pytestmark = pytest.mark.django_db

USAGE = "/admin/conversations/dailyusage/"


def used(owner_id: int = 0, day: date = date(2026, 3, 1), **fields: object) -> None:
    counted = {"provider": "gpt", "model": "gpt-4o", "requests": 1, **fields}
    DailyUsage.objects.create(day=day, owner_id=owner_id, **counted)


def cells(label: str, query: str = "") -> list[str]:
    html = page(staff("view_dailyusage"), USAGE + query)
    found = re.findall(rf'data-label="{label}">(.*?)</t[dh]>', html, re.DOTALL)
    return [re.sub(r"<[^>]*>", "", each).strip() for each in found]


def test_it_names_owners() -> None:
    used(User.objects.create_user("ada").pk)
    assert cells("owner") == ["ada"]


def test_it_names_nobody_where_there_was_no_account() -> None:
    used()
    assert cells("owner") == ["–"]


def test_it_says_whose_account_is_gone() -> None:
    used(4711)
    assert cells("owner") == ["#4711, erased"]


def test_it_tells_what_was_used() -> None:
    used(requests=1200, input_tokens=1_000_000)
    assert (cells("replies"), cells("tokens read"), cells("cost")) == (["1,200"], ["1,000,000"], ["$2.50"])


def test_it_does_not_take_an_unknown_price_for_nothing() -> None:
    used(model="llama-of-the-house", input_tokens=1_000_000)
    assert cells("cost") == ["unknown"]


def test_it_filters_by_provider_and_day() -> None:
    used()
    used(provider="claude")
    used(provider="claude", day=date(2026, 3, 2))
    assert cells("day", "?provider=claude&day_from=2026-03-02") == ["2026-03-02"]


def test_it_asks_as_much_for_many_owners_as_for_one() -> None:
    def queries() -> int:
        client = staff("view_dailyusage")
        client.get(USAGE)
        with CaptureQueriesContext(connection) as captured:
            client.get(USAGE)
        return len(captured)

    used(User.objects.create_user("ada").pk)
    one = queries()
    for number in range(20):
        used(User.objects.create_user(f"user-{number}").pk)
    assert queries() == one
