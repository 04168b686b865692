"""What browsers on other origins may do."""

from __future__ import annotations

import pytest

from tests.contract.client import Client, new_id, user

FRONTEND = "http://localhost:5000"
STRANGER = "http://evil.example"
ROUTES = [
    "/health",
    "/health/gpt",
    "/chat/gpt",
    "/chat/completions",
    "/conversation/message",
    "/chat/conversations",
    "/chat/history/session-1",
    "/chat/messages/msg-1/stream",
]
ASKED = "authorization, content-type, idempotency-key, last-event-id, x-a-header-nobody-thought-of"


def preflight(client: Client, path: str, origin: str = FRONTEND) -> dict[str, str]:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": ASKED,
    }
    answer = client.http.options(path, headers=headers)
    assert answer.status_code in (200, 204)
    return dict(answer.headers)


def names(header: str) -> set[str]:
    return {name.strip().lower() for name in header.split(",")}


@pytest.mark.parametrize("path", ROUTES)
def test_it_allows_the_frontend_with_credentials(mounted: Client, path: str) -> None:
    headers = preflight(mounted, path)
    assert headers["access-control-allow-origin"] == FRONTEND
    assert headers["access-control-allow-credentials"] == "true"


@pytest.mark.parametrize("path", ROUTES)
def test_it_allows_by_name_every_header_that_is_asked_for(mounted: Client, path: str) -> None:
    assert names(preflight(mounted, path)["access-control-allow-headers"]) >= names(ASKED)


@pytest.mark.parametrize("path", ROUTES)
def test_it_allows_the_methods_by_name(mounted: Client, path: str) -> None:
    allowed = names(preflight(mounted, path)["access-control-allow-methods"])
    assert allowed >= {"get", "post", "put", "patch", "delete"}
    assert "*" not in allowed


@pytest.mark.parametrize("path", ROUTES)
def test_it_allows_nothing_to_another_origin(mounted: Client, path: str) -> None:
    assert not [name for name in preflight(mounted, path, STRANGER) if name.startswith("access-control-allow-origin")]


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_it_lets_the_frontend_read_an_error(client: Client, method: str) -> None:
    answer = client.http.request(method, "/chat/completions", headers={"Origin": FRONTEND})
    assert answer.status_code == 405
    assert answer.headers["access-control-allow-origin"] == FRONTEND


def test_it_lets_the_frontend_read_a_stream(client: Client) -> None:
    answer = client.chat("Hello", headers={"Origin": FRONTEND})
    assert answer.headers["access-control-allow-origin"] == FRONTEND
    assert answer.headers["access-control-allow-credentials"] == "true"


def test_it_lets_no_other_origin_read_a_stream(client: Client) -> None:
    answer = client.chat("Hello", headers={"Origin": STRANGER})
    assert "access-control-allow-origin" not in answer.headers


def test_it_varies_by_origin_so_that_no_cache_mixes_them(client: Client) -> None:
    assert "origin" in names(client.get("/health", headers={"Origin": FRONTEND}).headers["vary"])


@pytest.mark.parametrize("stored", [False, True])
def test_it_exposes_the_headers_a_frontend_needs(client: Client, stored: bool) -> None:
    fields = {"conversation_id": new_id()} if stored else {}
    answer = client.chat("Hello", headers={"Origin": FRONTEND}, **fields)
    wanted = {"x-conversation-id", "x-message-id", "x-request-id", "retry-after"}
    limits = {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"}
    assert names(answer.headers["access-control-expose-headers"]) >= wanted | limits


def test_it_allows_the_origins_that_the_environment_names(client_of, simulator) -> None:  # type: ignore[no-untyped-def]
    client = client_of(CORS_ALLOWED_ORIGINS="https://one.example , http://two.example:81", RATE_LIMIT="3/h")
    for origin in ("https://one.example", "http://two.example:81"):
        assert preflight(client, "/chat/gpt", origin)["access-control-allow-origin"] == origin
    assert "access-control-allow-origin" not in preflight(client, "/chat/gpt", FRONTEND)


def test_it_lets_the_frontend_read_that_a_body_is_too_large(client: Client) -> None:
    body = b"x" * (16 * 1024 * 1024 + 1)
    headers = {"Origin": FRONTEND, "Content-Type": "application/json"}
    answer = client.http.post("/chat/gpt", content=body, headers=headers)
    assert (answer.status_code, answer.headers.get("access-control-allow-origin")) == (413, FRONTEND)


def test_it_lets_the_frontend_read_that_there_is_nothing(client: Client) -> None:
    answer = client.http.post("/no/such/thing", json={"messages": [user("Hello")]}, headers={"Origin": FRONTEND})
    assert (answer.status_code, answer.headers.get("access-control-allow-origin")) == (404, FRONTEND)
