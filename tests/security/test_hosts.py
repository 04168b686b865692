"""Which server a request says that it means: one of ours, said once."""

from __future__ import annotations

import httpx
import pytest

from tests.dialogix.sockets import exchange
from tests.security.wire import head, statuses
from tests.services.server import LiveServer

EVERYWHERE = [
    "/",
    "/health",
    "/chat/history/session-1",
    "/v1/models",
    "/admin/login/",
    "/sign-in/",
    "/api/docs/",
    "/api/schema/",
    "/nothing",
]


@pytest.mark.parametrize("path", EVERYWHERE)
def test_it_serves_no_other_name(path: str, server: LiveServer) -> None:
    assert statuses(server, head(path, host="evil.example")) == [400]


@pytest.mark.parametrize("path", EVERYWHERE)
def test_it_believes_nobody_about_another_name(path: str, server: LiveServer) -> None:
    answer = exchange(server, head(path, "X-Forwarded-Host: evil.example", "Forwarded: host=evil.example"))
    assert b"evil.example" not in answer


def test_a_forwarded_name_does_not_stand_for_the_right_one(server: LiveServer) -> None:
    assert statuses(server, head("/health", "X-Forwarded-Host: localhost", host="evil.example")) == [400]


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", *EVERYWHERE])
@pytest.mark.parametrize("second", ["evil.example", "localhost"])
def test_it_takes_one_name_only(path: str, second: str, server: LiveServer) -> None:
    assert statuses(server, head(path, f"Host: {second}")) == [400]


@pytest.mark.parametrize("path", ["/livez", "/health", "/admin/login/"])
def test_it_asks_for_a_name(path: str, server: LiveServer) -> None:
    assert statuses(server, head(path, host=None)) == [400]


@pytest.mark.parametrize(
    "host",
    [
        "",
        "localhost:port",
        "localhost:80@evil.example",
        "localhost/evil",
        "localhost#",
        "localhost\\evil",
        "local host",
        "localhost,evil.example",
        "[::1",
        "localhost\xff",
        "evil.localhost",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
    ],
)
@pytest.mark.parametrize("path", ["/health", "/admin/login/"])
def test_it_takes_no_name_that_only_looks_like_ours(path: str, host: str, server: LiveServer) -> None:
    assert statuses(server, head(path, host=host)) == [400]


@pytest.mark.parametrize(
    "address",
    [
        "http://evil.example/health",
        "http://localhost@evil.example/health",
        "http://localhost:1@evil.example/health",
        "http://localhost.evil.example/health",
        "https://evil.example/livez",
    ],
)
def test_it_refuses_an_absolute_address_of_another_server(address: str, server: LiveServer) -> None:
    assert statuses(server, head(address)) == [400]


def test_it_takes_an_absolute_address_of_its_own(server: LiveServer) -> None:
    assert statuses(server, head("http://LocalHost/health")) == [200]


def test_the_name_counts_beside_an_absolute_address_too(server: LiveServer) -> None:
    assert statuses(server, head("http://localhost/health", host="evil.example")) == [400]


def test_probes_answer_by_whatever_name(server: LiveServer) -> None:
    """Orchestrators ask by the address of a node."""
    assert statuses(server, head("/livez", host="10.1.2.3:8000")) == [200]


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "10.1.2.3"])
def test_metrics_are_for_no_page_whose_name_was_led_here(host: str, server: LiveServer) -> None:
    """A browser on this machine is a peer on loopback, whichever site's script it runs (DNS rebinding)."""
    assert httpx.get(f"{server.url}/metrics", headers={"Host": host}).status_code == 403
