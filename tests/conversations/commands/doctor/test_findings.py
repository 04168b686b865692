from __future__ import annotations

import shutil
from collections import namedtuple

import httpx
import pytest
from pytest_django import Settings

from conversations.commands.doctor import serving, storage
from conversations.commands.doctor.findings import Finding, healthy, of_settings
from conversations.commands.doctor.proxy import TICKS, Heard, judged
from tests.conversations.stored import a_worker

SENT = [float(number) for number in range(TICKS)]
EVENTS = httpx.Headers({"content-type": "text/event-stream"})

Usage = namedtuple("Usage", "free")  # noqa: PYI024


def levels(found: object) -> list[str]:
    return [each.level for each in found]  # type: ignore[attr-defined]


def test_a_warning_is_no_problem() -> None:
    assert healthy([Finding("a", "ok", "b"), Finding("a", "warning", "b")])


def test_a_problem_is_one() -> None:
    assert not healthy([Finding("a", "ok", "b"), Finding("a", "problem", "b")])


def test_it_tells_what_check_tells(settings: Settings) -> None:
    settings.DEFAULT_PROVIDER = "nobody"
    assert ("problem", "DEFAULT_PROVIDER is 'nobody', which is no provider.") in [
        (each.level, each.text) for each in of_settings()
    ]


@pytest.mark.parametrize(("free", "level"), [(10**8, "problem"), (10**9, "warning"), (10**10, "ok")])
def test_it_warns_of_a_disk_that_fills_up(monkeypatch: pytest.MonkeyPatch, free: int, level: str) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(free))
    assert levels(storage.disk()) == [level]


@pytest.mark.parametrize(("workers", "level"), [(1, "ok"), (2, "warning")])
def test_it_warns_of_workers_that_share_nothing(settings: Settings, workers: int, level: str) -> None:
    settings.REDIS_URL, settings.WEB_WORKERS = None, workers
    assert levels(serving.cache()) == [level]


def test_it_finds_redis(settings: Settings, redis_url: str) -> None:
    settings.REDIS_URL = redis_url
    assert levels(serving.cache()) == ["ok"]


@pytest.mark.parametrize(("grace", "level"), [(0, "warning"), (5, "note"), (20, "ok")])
def test_it_warns_of_an_end_without_grace(settings: Settings, grace: float, level: str) -> None:
    settings.SHUTDOWN_GRACE = grace
    assert levels(serving.shutdown()) == [level]


@pytest.mark.django_db
def test_it_counts_workers_that_are_alive() -> None:
    a_worker()
    assert [each.text for each in serving.workers()] == ["1 alive on 1 host(s)."]


@pytest.mark.django_db
def test_it_finds_the_database_well() -> None:
    assert set(levels(storage.database())) == {"ok"}


@pytest.mark.parametrize(
    ("heard", "level"),
    [
        (Heard(200, EVENTS, [moment + 0.3 for moment in SENT]), "ok"),
        (Heard(200, EVENTS, [8.0] * TICKS), "problem"),
        (Heard(200, EVENTS, [moment + 3 for moment in SENT]), "problem"),
        (Heard(200, EVENTS, SENT[:3]), "problem"),
        (Heard(200, httpx.Headers({"content-type": "text/html"}), []), "problem"),
        (Heard(502, EVENTS, []), "problem"),
    ],
)
def test_it_judges_what_it_heard(heard: Heard, level: str) -> None:
    assert judged(heard, SENT).level == level


def test_it_names_the_compression(settings: Settings) -> None:
    headers = httpx.Headers({"content-type": "text/event-stream", "content-encoding": "gzip"})
    assert "compressed (gzip)" in judged(Heard(200, headers, [8.0] * TICKS), SENT).text
