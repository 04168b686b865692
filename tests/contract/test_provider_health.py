"""`GET /health/{provider}`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.contract.client import Client
from tests.simulator import Simulator

MODELS = {"gpt": "gpt-4o", "claude": "claude-3-5-sonnet-latest", "gemini": "gemini-2.0-flash"}
VENDORS = {"gpt": "openai", "claude": "anthropic", "gemini": "gemini"}


@pytest.fixture
def uncached(client_of: Callable[..., Client]) -> Client:
    return client_of(PROVIDER_HEALTH_CACHE="0")


@pytest.mark.parametrize("provider", MODELS)
def test_it_is_ok_where_the_vendor_answers(mounted: Client, provider: str) -> None:
    answer = mounted.get(f"/health/{provider}")
    report = answer.json()
    assert answer.status_code == 200
    assert set(report) == {"status", "provider", "message", "metrics"}
    assert report["status"] == "OK"
    assert report["provider"] == provider
    assert report["message"] == f"Using model: {MODELS[provider]}"


@pytest.mark.parametrize("provider", MODELS)
def test_it_tells_the_response_time_in_seconds(client: Client, provider: str) -> None:
    metrics = client.get(f"/health/{provider}").json()["metrics"]
    assert list(metrics) == ["responseTime"]
    assert isinstance(metrics["responseTime"], float)
    assert 0 < metrics["responseTime"] < 30


@pytest.mark.parametrize("provider", MODELS)
def test_it_costs_no_tokens(uncached: Client, simulator: Simulator, provider: str) -> None:
    uncached.get(f"/health/{provider}")
    assert [request["method"] for request in simulator.requests(VENDORS[provider])] == ["GET"]


@pytest.mark.parametrize("provider", ["GPT", "openai", "unknown", "x" * 300, "%F0%9F%99%82"])
def test_it_refuses_a_provider_that_is_none(mounted: Client, provider: str) -> None:
    answer = mounted.get(f"/health/{provider}")
    assert answer.status_code == 400
    assert list(answer.json()) == ["detail"]
    assert "Invalid provider" in answer.json()["detail"]


def test_it_asks_the_vendor_once_for_a_moment(client_of: Callable[..., Client], simulator: Simulator) -> None:
    client = client_of(PROVIDER_HEALTH_CACHE="60", RATE_LIMIT="3/h")
    for _ in range(5):
        client.get("/health/gpt")
    assert len(simulator.requests("openai")) <= 1


def test_it_asks_each_time_without_a_cache(uncached: Client, simulator: Simulator) -> None:
    for _ in range(3):
        uncached.get("/health/gpt")
    assert len(simulator.requests("openai")) == 3


@pytest.fixture
def unreachable(client_of: Callable[..., Client]) -> Client:
    return client_of(OPENAI_BASE_URL="http://127.0.0.1:9/v1", OPENAI_API_KEY="sk-secret-key")


def test_it_is_an_error_where_the_vendor_is_away(unreachable: Client) -> None:
    answer = unreachable.get("/health/gpt")
    report = answer.json()
    assert answer.status_code == 200
    assert set(report) == {"status", "provider", "error"}
    assert (report["status"], report["provider"]) == ("ERROR", "gpt")
    assert list(report["error"]) == ["message"]
    assert report["error"]["message"]


def test_it_shows_no_key(unreachable: Client) -> None:
    assert "sk-secret-key" not in unreachable.get("/health/gpt").text


def test_it_tells_of_each_provider_apart(unreachable: Client) -> None:
    assert unreachable.get("/health/claude").json()["status"] == "OK"


def test_it_is_an_error_where_the_vendor_has_neither_model(client_of: Callable[..., Client]) -> None:
    client = client_of(OPENAI_MODEL_DEFAULT="no-such-one", OPENAI_MODEL_FALLBACK="nor-this")
    report = client.get("/health/gpt").json()
    assert report["status"] == "ERROR"
    assert "no-such-one" in report["error"]["message"]


def test_it_counts_against_no_limit(client_of: Callable[..., Client]) -> None:
    client = client_of(PROVIDER_HEALTH_CACHE="60", RATE_LIMIT="3/h")
    for _ in range(6):
        assert client.get("/health/claude").status_code == 200
