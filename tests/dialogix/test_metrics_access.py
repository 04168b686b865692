from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.services.server import LiveServer

TOKEN = "for prometheus"
PROXIED = {"X-Forwarded-For": "127.0.0.1"}


def scrape(server: LiveServer, method: str = "GET", path: str = "/metrics", **headers: str) -> httpx.Response:
    return httpx.request(method, server.url + path, headers=headers, trust_env=False)


@pytest.fixture(scope="module")
def guarded() -> Iterator[LiveServer]:
    server = LiveServer(METRICS_TOKEN=TOKEN)
    yield server
    server.close()


def test_it_answers_this_machine(server: LiveServer) -> None:
    assert scrape(server).status_code == 200


def test_it_speaks_prometheus_text(server: LiveServer) -> None:
    assert scrape(server).headers["content-type"].startswith("text/plain; version=")


def test_it_speaks_open_metrics(server: LiveServer) -> None:
    answer = scrape(server, Accept="application/openmetrics-text; version=1.0.0")
    assert answer.text.endswith("# EOF\n")


def test_it_takes_a_slash_at_the_end(server: LiveServer) -> None:
    assert scrape(server, path="/metrics/").status_code == 200


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_it_refuses_what_came_through_a_proxy(server: LiveServer, header: str) -> None:
    assert scrape(server, **{header: "127.0.0.1"}).status_code == 403


def test_it_takes_no_token_where_none_is_set(server: LiveServer) -> None:
    assert scrape(server, **PROXIED, Authorization="Bearer x").status_code == 403


def test_it_lets_others_in_with_the_token(guarded: LiveServer) -> None:
    assert scrape(guarded, **PROXIED, Authorization=f"Bearer {TOKEN}").status_code == 200


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer for", f"Basic {TOKEN}", f"Bearer {TOKEN}x"])
def test_it_refuses_another_token(guarded: LiveServer, authorization: str) -> None:
    answer = scrape(guarded, **PROXIED, Authorization=authorization)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_it_refuses_in_json(guarded: LiveServer) -> None:
    assert set(scrape(guarded, **PROXIED).json()) == {"error", "details"}


def test_it_takes_no_other_method(server: LiveServer) -> None:
    assert scrape(server, "POST").headers["Allow"] == "GET, HEAD"
