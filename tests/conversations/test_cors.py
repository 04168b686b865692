from __future__ import annotations

from typing import cast

import pytest
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.test import AsyncRequestFactory, RequestFactory
from pytest_django import Settings

from conversations.api.cors import CorsMiddleware

ORIGIN = "http://localhost:5000"


@pytest.fixture(autouse=True)
def cors(settings: Settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]
    settings.CORS_ALLOW_CREDENTIALS = True
    settings.CORS_EXPOSE_HEADERS = ["X-Message-ID", "X-RateLimit-Limit"]


def preflight(asked: str | None, origin: str = ORIGIN, path: str = "/chat/gpt") -> HttpResponse:
    headers = {"origin": origin, "access-control-request-method": "POST"}
    if asked is not None:
        headers["access-control-request-headers"] = asked
    request = RequestFactory().options(path, headers=headers)
    response = CorsMiddleware(lambda _: HttpResponse(status=405))(request)
    assert isinstance(response, HttpResponse)
    return response


def get(origin: str | None = ORIGIN, path: str = "/chat/history/session-1") -> HttpResponse:
    headers = {} if origin is None else {"origin": origin}
    request = RequestFactory().get(path, headers=headers)
    response = CorsMiddleware(lambda _: HttpResponse("body"))(request)
    assert isinstance(response, HttpResponse)
    return response


def test_it_answers_a_preflight_itself() -> None:
    assert preflight("content-type").status_code == 200


def test_it_allows_every_header_asked_for_by_name() -> None:
    response = preflight("content-type,x-whatever, idempotency-key")
    assert response["Access-Control-Allow-Headers"] == "content-type, x-whatever, idempotency-key"


def test_it_repeats_nothing_that_is_no_header_name() -> None:
    assert preflight("x-good, x bad, é, <b>, ,")["Access-Control-Allow-Headers"] == "x-good"


def test_it_allows_the_methods_by_name() -> None:
    assert preflight(None)["Access-Control-Allow-Methods"] == "GET, POST, PUT, PATCH, DELETE"


def test_it_allows_credentials_to_a_named_origin() -> None:
    response = preflight("content-type")
    assert response["Access-Control-Allow-Origin"] == ORIGIN
    assert response["Access-Control-Allow-Credentials"] == "true"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:5000.evil.example", "http://["])
def test_it_allows_a_stranger_nothing(origin: str) -> None:
    response = preflight("content-type", origin=origin)
    allowed = [name for name in response.headers if name.lower().startswith("access-control-")]
    assert allowed == []


def test_it_lets_caches_tell_origins_apart() -> None:
    assert "origin" in get(origin=None)["Vary"].lower()


def test_it_lets_caches_tell_preflights_apart() -> None:
    assert "access-control-request-headers" in preflight("content-type")["Vary"].lower()


def test_it_exposes_the_headers_a_frontend_needs() -> None:
    assert get()["Access-Control-Expose-Headers"] == "X-Message-ID, X-RateLimit-Limit"


def test_it_shows_the_admin_to_no_other_origin() -> None:
    assert "Access-Control-Allow-Origin" not in get(path="/admin/conversations/conversation/")


def test_it_leaves_an_options_that_is_no_preflight_to_the_view() -> None:
    request = RequestFactory().options("/chat/gpt", headers={"origin": ORIGIN})
    response = CorsMiddleware(lambda _: HttpResponse(status=405))(request)
    assert isinstance(response, HttpResponse)
    assert response.status_code == 405


async def answer(request: HttpRequest) -> HttpResponse:
    return HttpResponse("body")


async def wrapped(request: HttpRequest) -> HttpResponse:
    response = CorsMiddleware(answer)(request)
    assert not isinstance(response, HttpResponseBase)
    return cast("HttpResponse", await response)


async def test_it_wraps_an_async_handler() -> None:
    request = AsyncRequestFactory().get("/chat/history/session-1", headers={"origin": ORIGIN})
    response = await wrapped(request)
    assert response["Access-Control-Allow-Origin"] == ORIGIN


async def test_it_answers_a_preflight_before_an_async_handler() -> None:
    headers = {"origin": ORIGIN, "access-control-request-method": "PUT", "access-control-request-headers": "x-mine"}
    request = AsyncRequestFactory().options("/chat/gpt", headers=headers)
    response = await wrapped(request)
    assert (response["Access-Control-Allow-Headers"], response.content) == ("x-mine", b"")
