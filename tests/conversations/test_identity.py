from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.http import HttpRequest
from django.test import AsyncRequestFactory, Client
from knox.models import AuthToken
from pytest_django import Settings
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from conversations.api import tokens
from conversations.api.errors import ApiError
from conversations.api.identity import Caller, CallerAuthentication, identify, identify_socket
from conversations.models import User

SECRET = "a" * 32


@pytest.fixture(autouse=True)
def fresh_memory() -> Iterator[None]:
    tokens.forget()
    yield
    tokens.forget()


@pytest.fixture
def required(settings: Settings, transactional_db: None) -> None:
    settings.AUTH_MODE = "required"


@pytest.fixture
def ada(required: None) -> User:
    return User.objects.create_user("ada", password="correct horse")


@pytest.fixture
def token(ada: User) -> str:
    return AuthToken.objects.create(user=ada)[1]


@pytest.fixture
def session_key(ada: User) -> str:
    client = Client()
    client.force_login(ada)
    return client.cookies[django_settings.SESSION_COOKIE_NAME].value


def request(method: str = "GET", **headers: str) -> HttpRequest:
    factory = AsyncRequestFactory()
    factory.cookies.load(headers.pop("cookie", ""))
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return factory.generic(method, "/chat/gpt", headers=named)


def cookies(session: str, csrf: str | None = None) -> str:
    parts = [f"{django_settings.SESSION_COOKIE_NAME}={session}"]
    if csrf is not None:
        parts.append(f"{django_settings.CSRF_COOKIE_NAME}={csrf}")
    return "; ".join(parts)


async def refusal(request: HttpRequest) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await identify(request)
    return caught.value


async def test_open_mode_knows_an_address_only(settings: Settings) -> None:
    """No database is allowed here, and a bearer's token or a session would need it."""
    settings.AUTH_MODE = "open"
    caller = await identify(request(authorization=f"Bearer {SECRET}", cookie=cookies(SECRET)))
    assert caller == Caller(None, "127.0.0.1")


async def test_open_mode_knows_a_socket_by_its_address(settings: Settings) -> None:
    settings.AUTH_MODE = "open"
    scope = {"client": ("192.0.2.1", 1), "headers": [(b"authorization", b"Bearer x")], "subprotocols": []}
    assert await identify_socket(scope) == Caller(None, "192.0.2.1")


async def test_it_knows_the_owner_of_a_token(ada: User, token: str) -> None:
    assert (await identify(request(authorization=f"Bearer {token}"))).owner_id == ada.pk


async def test_it_knows_the_scheme_in_any_case(ada: User, token: str) -> None:
    assert (await identify(request(authorization=f"bEARER  {token} "))).owner_id == ada.pk


async def test_it_asks_for_a_token(required: None) -> None:
    error = await refusal(request())
    assert (error.status, error.headers) == (401, {"WWW-Authenticate": "Bearer"})


@pytest.mark.parametrize(
    "authorization",
    ["Bearer", "Bearer ", "Bearer a b", "Bearer é", "Bearer \x00", "Bearer " + "a" * 64, "Bearer " + "a" * 9000],
)
async def test_it_refuses_what_is_no_token(required: None, authorization: str) -> None:
    assert (await refusal(request(authorization=authorization))).status == 401


async def test_it_refuses_a_token_that_differs_in_its_end(token: str) -> None:
    other = token[:-1] + ("0" if token[-1] != "0" else "1")
    assert (await refusal(request(authorization=f"Bearer {other}"))).status == 401


@pytest.fixture
def expired(ada: User) -> str:
    return AuthToken.objects.create(user=ada, expiry=timedelta(seconds=-1))[1]


async def test_it_refuses_a_token_that_expired(expired: str) -> None:
    assert (await refusal(request(authorization=f"Bearer {expired}"))).status == 401


@pytest.fixture
def deactivated(ada: User, token: str) -> str:
    User.objects.filter(pk=ada.pk).update(is_active=False)
    return token


async def test_it_refuses_the_token_of_a_user_who_left(deactivated: str) -> None:
    assert (await refusal(request(authorization=f"Bearer {deactivated}"))).status == 401


async def test_it_knows_the_owner_of_a_session(ada: User, session_key: str) -> None:
    assert await identify(request(cookie=cookies(session_key))) == Caller(ada.pk, "127.0.0.1")


async def test_it_prefers_the_token_to_the_session(session_key: str) -> None:
    assert (await refusal(request(authorization=f"Bearer {SECRET}", cookie=cookies(session_key)))).status == 401


async def test_it_takes_a_session_beside_another_scheme(ada: User, session_key: str) -> None:
    caller = await identify(request(authorization="Basic YTpi", cookie=cookies(session_key)))
    assert caller.owner_id == ada.pk


@pytest.mark.parametrize("key", ["", "short", "x" * 32, "\x00" * 32, "../../etc/passwd", "x" * 5000])
async def test_it_refuses_what_is_no_session(required: None, key: str) -> None:
    with pytest.raises(ApiError) as caught:
        await identify_socket(socket(cookie=cookies(key)))
    assert caught.value.status == 401


@pytest.fixture
def stale_session(ada: User, session_key: str) -> str:
    ada.set_password("another horse")
    ada.save()
    return session_key


async def test_it_refuses_a_session_from_before_a_new_password(stale_session: str) -> None:
    assert (await refusal(request(cookie=cookies(stale_session)))).status == 401


@pytest.fixture
def session_of_a_leaver(ada: User, session_key: str) -> str:
    User.objects.filter(pk=ada.pk).update(is_active=False)
    return session_key


async def test_it_refuses_the_session_of_a_user_who_left(session_of_a_leaver: str) -> None:
    assert (await refusal(request(cookie=cookies(session_of_a_leaver)))).status == 401


async def test_it_refuses_a_change_without_the_csrf_token(session_key: str) -> None:
    assert (await refusal(request("POST", cookie=cookies(session_key, SECRET)))).status == 403


async def test_it_refuses_a_change_with_another_csrf_token(session_key: str) -> None:
    forged = request("POST", cookie=cookies(session_key, SECRET), x_csrftoken="b" * 32)
    assert (await refusal(forged)).status == 403


async def test_it_refuses_a_change_from_another_site(session_key: str) -> None:
    headers = {"cookie": cookies(session_key, SECRET), "x_csrftoken": SECRET, "origin": "https://evil.example"}
    assert (await refusal(request("DELETE", **headers))).status == 403


@pytest.mark.parametrize("origin", ["http://testserver", "http://localhost:5000"])
async def test_it_takes_a_change_from_our_own_pages(
    ada: User, session_key: str, origin: str, settings: Settings
) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["http://localhost:5000"]
    headers = {"cookie": cookies(session_key, SECRET), "x_csrftoken": SECRET, "origin": origin}
    assert (await identify(request("POST", **headers))).owner_id == ada.pk


async def test_it_asks_no_csrf_token_of_a_bearer(ada: User, token: str) -> None:
    bearer = request("POST", authorization=f"Bearer {token}", origin="https://anywhere.example")
    assert (await identify(bearer)).owner_id == ada.pk


async def test_it_reads_no_body_to_check_a_change(session_key: str) -> None:
    headers = {"cookie": cookies(session_key, SECRET), "content_type": "application/x-www-form-urlencoded"}
    change = request("POST", **headers)
    await refusal(change)
    assert not hasattr(change, "_post")


def socket(protocols: list[str] | None = None, **headers: str) -> dict[str, object]:
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    return {"type": "websocket", "client": ("192.0.2.1", 1), "headers": pairs, "subprotocols": protocols or []}


async def test_it_knows_a_socket_by_its_header(ada: User, token: str) -> None:
    assert (await identify_socket(socket(authorization=f"Bearer {token}"))).owner_id == ada.pk


async def test_it_knows_a_socket_by_its_subprotocol(ada: User, token: str) -> None:
    assert (await identify_socket(socket(["dialogix", f"bearer.{token}"]))).owner_id == ada.pk


async def test_it_knows_a_socket_by_its_session(ada: User, session_key: str) -> None:
    assert (await identify_socket(socket(cookie=cookies(session_key)))).owner_id == ada.pk


async def test_it_takes_no_token_beside_another_subprotocol(token: str) -> None:
    """The answer to a handshake names one of the offered subprotocols, and ours is the only one it could name."""
    with pytest.raises(ApiError) as caught:
        await identify_socket(socket([f"bearer.{token}"]))
    assert caught.value.status == 401


@pytest.mark.parametrize("protocols", [[], ["dialogix"], ["dialogix", "bearer."], ["dialogix", "bearer.x"]])
async def test_it_refuses_a_socket_without_a_good_token(required: None, protocols: list[str]) -> None:
    with pytest.raises(ApiError) as caught:
        await identify_socket(socket(protocols))
    assert caught.value.status == 401


def test_it_gives_rest_views_their_caller(ada: User, token: str) -> None:
    request: Any = Request(APIRequestFactory().get("/", headers={"authorization": f"Bearer {token}"}))
    CallerAuthentication().authenticate(request)
    assert request.caller.owner_id == ada.pk


def test_it_refuses_rest_views_a_stranger(required: None) -> None:
    with pytest.raises(ApiError) as caught:
        CallerAuthentication().authenticate(Request(APIRequestFactory().get("/")))
    assert caught.value.status == 401


def test_limits_count_by_token(ada: User) -> None:
    grants = [tokens.verify(AuthToken.objects.create(user=ada)[1]) for _ in range(2)]
    keys = {Caller(ada.pk, "192.0.2.1", grant.credential).limit_key for grant in grants if grant}
    assert len(keys) == 2


def test_limits_count_by_address_in_open_mode() -> None:
    assert Caller(None, "192.0.2.1").limit_key == "address:192.0.2.1"


def test_limits_count_a_session_by_its_owner() -> None:
    assert Caller(7, "192.0.2.1").limit_key == Caller(7, "192.0.2.2").limit_key
