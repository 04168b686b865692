"""`GET /health` of both documents, and what orchestrators ask."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import httpx

from tests.contract.client import Client
from tests.simulator import Simulator


def test_it_says_the_streaming_documents_word_at_the_root(client: Client) -> None:
    assert client.get("/health").json()["status"] == "OK"


def test_it_says_the_frontend_documents_word_under_its_mount(client: Client) -> None:
    assert httpx.get(f"{client.url}/api/v1/health").json()["status"] == "ok"


def test_it_says_it_with_a_trailing_slash_too(client: Client) -> None:
    assert httpx.get(f"{client.url}/api/v1/health/").json()["status"] == "ok"


def test_it_says_that_the_system_is_operational(mounted: Client) -> None:
    assert mounted.get("/health").json()["message"] == "System operational"


def test_it_tells_the_time_in_utc(mounted: Client) -> None:
    told = mounted.get("/health").json()["timestamp"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", told)
    assert abs((datetime.now(UTC) - datetime.fromisoformat(told)).total_seconds()) < 60


def test_it_tells_its_version(mounted: Client) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", mounted.get("/health").json()["version"])


def test_it_tells_these_four_and_nothing_else(mounted: Client) -> None:
    assert set(mounted.get("/health").json()) == {"status", "message", "timestamp", "version"}


def test_it_asks_no_vendor(client: Client, simulator: Simulator) -> None:
    client.get("/health")
    assert simulator.requests() == []
