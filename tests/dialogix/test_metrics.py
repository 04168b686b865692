from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from dialogix.metrics import template
from tests.conftest import StartServer
from tests.dialogix.scraped import Scraped, chat
from tests.services.server import LiveServer
from tests.simulator import Simulator

# Each test begins with vendors that have forgotten what another wanted of them, such as to pause.
pytestmark = pytest.mark.usefixtures("simulator")

GPT = {"gen_ai_operation_name": "chat", "gen_ai_provider_name": "openai", "gen_ai_request_model": "gpt-4o"}


class Rise:
    """By how much metrics rose since the test began."""

    def __init__(self, server: LiveServer) -> None:
        self._server = server
        self._before = Scraped(server)

    def __call__(self, name: str, **labels: str) -> float:
        return Scraped(self._server).value(name, **labels) - self._before.value(name, **labels)

    def settled(self, name: str, value: float, **labels: str) -> float:
        """The rise, once it is that or has had time to become it."""
        deadline = time.monotonic() + 5
        while (found := self(name, **labels)) != value and time.monotonic() < deadline:
            time.sleep(0.02)
        return found


@pytest.fixture
def rise(server: LiveServer) -> Rise:
    return Rise(server)


@pytest.fixture
def hanging(server: LiveServer, rise: Rise, simulator: Simulator) -> Iterator[str]:
    """The id of a conversation with a reply under way."""
    simulator.script("openai", chunks=3, delay=30)
    name = f"hanging-{time.time_ns()}"
    body = {"messages": [{"role": "user", "content": "Hello"}], "conversation_id": name, "on_disconnect": "cancel"}
    with httpx.stream("POST", f"{server.url}/chat/gpt", json=body, trust_env=False, timeout=30):
        yield name


@pytest.mark.parametrize(
    ("pattern", "route"),
    [
        ("^chat/(?P<provider>[^/]+)/?$", "/chat/{provider}"),
        ("api/v1/^chat/history/(?P<conversation_id>[A-Za-z0-9][A-Za-z0-9_.:~-]{0,127})/?$",
         "/api/v1/chat/history/{conversation_id}"),
        ("^chat/messages/(?P<id>[^/]+)/stream/?$", "/chat/messages/{id}/stream"),
        ("^v1/models/(?P<model>.+?)/?$", "/v1/models/{model}"),
        ("^(?:api/v1/)?health/?$", "/health"),
        ("api/v1/chat/<str:name>/thing/", "/api/v1/chat/{name}/thing"),
        ("^a/(?P<b>(?:c|d(e)))/f/?$", "/a/{b}/f"),
    ],
)  # fmt: skip
def test_it_names_a_route_without_its_ids(pattern: str, route: str) -> None:
    assert template(pattern) == route


def test_it_counts_requests_by_route_and_status(server: LiveServer, rise: Rise) -> None:
    chat(server)
    labels = {"http_request_method": "POST", "http_route": "/chat/{provider}", "http_response_status_code": "200"}
    assert rise.settled("http_server_request_duration_seconds_count", 1, **labels) == 1


def test_it_makes_no_label_of_what_clients_invent(server: LiveServer, rise: Rise) -> None:
    for path in ("/nothing", "/chat/a/b/c", "/adminx", "/a%0ab"):
        httpx.get(server.url + path, trust_env=False)
    assert rise.settled("http_server_request_duration_seconds_count", 4, http_route="other") == 4


@pytest.mark.parametrize(("kind", "tokens"), [("input", 7), ("output", 11)])
def test_it_adds_up_tokens(server: LiveServer, rise: Rise, simulator: Simulator, kind: str, tokens: int) -> None:
    simulator.script("openai", text="Hi", input_tokens=7, output_tokens=11)
    chat(server)
    assert rise("gen_ai_client_token_usage_sum", gen_ai_token_type=kind, **GPT) == tokens


def test_it_times_the_first_token(server: LiveServer, rise: Rise, simulator: Simulator) -> None:
    simulator.script("openai", text="Hi", first_delay=0.3)
    chat(server)
    assert rise("gen_ai_server_time_to_first_token_seconds_sum", **GPT) >= 0.3


def test_it_times_what_it_asks_of_vendors(server: LiveServer, rise: Rise) -> None:
    chat(server)
    assert rise("gen_ai_client_operation_duration_seconds_count", error_type="", **GPT) == 1


def test_it_counts_attempts_by_outcome(server: LiveServer, rise: Rise, simulator: Simulator) -> None:
    simulator.script("openai", "gpt-4o", status=429, times=1)
    chat(server)
    assert rise("dialogix_attempts_total", model="gpt-4o", outcome="rate_limited") == 1


def test_it_counts_fallbacks(server: LiveServer, rise: Rise, simulator: Simulator) -> None:
    simulator.script("openai", "gpt-4o", status=503, times=1)
    chat(server)
    assert rise("dialogix_fallbacks_total", provider="gpt", model="gpt-4o-mini") == 1


def test_it_counts_replies_by_their_end(server: LiveServer, rise: Rise, simulator: Simulator) -> None:
    simulator.script("openai", chunks=4, fault="drop", after=2)
    chat(server)
    assert rise("dialogix_replies_total", provider="gpt", status="failed") == 1


def test_it_shows_what_is_under_way(rise: Rise, hanging: str) -> None:
    assert rise("dialogix_active_generations") == 1


def test_it_shows_what_waits(server: LiveServer, rise: Rise, hanging: str) -> None:
    body: dict[str, Any] = {"message": "And then?", "conversation_id": hanging}
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{server.url}/chat/completions", json=body, trust_env=False, timeout=0.5)
    assert rise("dialogix_waiting_generations") == 1


def test_it_counts_the_journals_transactions(server: LiveServer, rise: Rise) -> None:
    chat(server, conversation_id="metrics")
    assert rise("dialogix_journal_write_transactions_total") >= 1


def test_it_shows_no_lag_once_all_is_stored(server: LiveServer, rise: Rise) -> None:
    chat(server, conversation_id="metrics")
    assert rise.settled("dialogix_journal_lag_seconds", 0) == 0


def test_it_shows_the_state_of_every_circuit(server: LiveServer) -> None:
    chat(server)
    assert Scraped(server).value("dialogix_breaker_state", provider="gpt", model="gpt-4o", state="closed") == 1


def test_it_counts_what_the_rate_limit_refused(start_server: StartServer) -> None:
    server = start_server(RATE_LIMIT="1/h")
    statuses = [chat(server).status_code for _ in range(3)]
    assert (statuses, Scraped(server).value("dialogix_rate_limited_requests_total")) == ([200, 429, 429], 2)


def test_it_shows_that_redis_is_away(start_server: StartServer) -> None:
    server = start_server(REDIS_URL="redis://127.0.0.1:1")
    chat(server)
    assert Scraped(server).value("dialogix_redis_degraded", use="limits") == 1


def test_it_shows_that_no_redis_is_missed(server: LiveServer) -> None:
    chat(server)
    assert Scraped(server).value("dialogix_redis_degraded") == 0


def test_it_tells_several_workers_apart(start_server: StartServer) -> None:
    server = start_server(WEB_WORKERS="2")
    assert Scraped(server).labels("dialogix_active_generations", "worker") <= set(map(str, server.worker_pids))
