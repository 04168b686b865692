from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
from django.db import connections
from django.http import HttpRequest
from django.test import AsyncRequestFactory
from knox.models import AuthToken
from pytest_django import DjangoAssertNumQueries, Settings

from conversations import database
from conversations.api import tokens
from conversations.api.errors import ApiError
from conversations.api.identity import Caller, identify, identify_in_thread
from conversations.api.jwks import COOLDOWN, FRESH, KEPT
from conversations.api.jwts import keys
from conversations.models import User
from tests.conversations.issuer import AUDIENCE, ISSUER, Issuer


@dataclass
class Clock:
    """What the keys and the memory of tokens take for the time."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    issuer = Issuer()
    yield issuer
    issuer.close()


@pytest.fixture(autouse=True)
def clock(
    settings: Settings, issuer: Issuer, monkeypatch: pytest.MonkeyPatch, transactional_db: None
) -> Iterator[Clock]:
    settings.AUTH_MODE = "required"
    settings.AUTH_JWKS_URL = issuer.url
    settings.AUTH_JWT_ISSUER = ISSUER
    settings.AUTH_JWT_AUDIENCE = (AUDIENCE,)
    clock = Clock()
    for each in (keys(), tokens.known, tokens.refused):
        monkeypatch.setattr(each, "clock", clock)
    tokens.forget()
    yield clock
    tokens.forget()


def request(token: str) -> HttpRequest:
    return AsyncRequestFactory().get("/chat/gpt", headers={"authorization": f"Bearer {token}"})


def status_of(error: pytest.ExceptionInfo[ApiError]) -> int:
    return error.value.status


async def username(token: str) -> str:
    caller = await identify(request(token))
    assert caller.owner_id is not None
    return (await database.read(User.objects.get, pk=caller.owner_id)).username


async def refused(token: str) -> int:
    with pytest.raises(ApiError) as error:
        await identify(request(token))
    return status_of(error)


def handmade(header: dict[str, Any], claims: dict[str, Any], secret: bytes = b"") -> str:
    """A token that no well-meant library would make."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    signature = hmac.new(secret, b".".join(parts), hashlib.sha256).digest() if secret else b"none"
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


async def test_it_takes_a_good_token(issuer: Issuer) -> None:
    assert (await username(issuer.token("ada"))).startswith("ada.")


async def test_it_takes_it_in_a_thread_too(issuer: Issuer) -> None:
    caller = await asyncio.to_thread(_in_thread, issuer.token("ada"))
    assert caller == await identify(request(issuer.token("ada")))


def _in_thread(token: str) -> Caller:
    try:
        return identify_in_thread(request(token))
    finally:
        connections.close_all()


async def test_it_knows_the_person_again(issuer: Issuer) -> None:
    first = await identify(request(issuer.token("ada")))
    second = await identify(request(issuer.token("ada", exp=int(time.time()) + 600)))
    assert first.owner_id == second.owner_id


async def test_it_creates_one_user_for_two_requests_at_once(issuer: Issuer) -> None:
    sent = [issuer.token("ada", jti=str(number)) for number in range(8)]
    await asyncio.gather(*(identify(request(token)) for token in sent))
    assert await database.read(User.objects.count) == 1


async def test_it_creates_a_user_who_cannot_sign_in_otherwise(issuer: Issuer) -> None:
    await identify(request(issuer.token("ada")))
    assert not (await database.read(User.objects.get)).has_usable_password()


@pytest.mark.parametrize("subject", ["auth0|a", "auth0_a", "é" * 200, "a" * 255, "Ada"])
async def test_it_gives_every_subject_a_name_of_its_own(issuer: Issuer, subject: str) -> None:
    others = {await username(issuer.token(other)) for other in ("auth0.a", "a" * 254, "é" * 199, "ada")}
    assert await username(issuer.token(subject)) not in others


async def test_it_gives_names_that_users_may_have(issuer: Issuer) -> None:
    user = User(username=await username(issuer.token("auth0|" + "x" * 249)), password="!")
    User._meta.get_field("username").clean(user.username, user)


async def test_it_counts_an_outside_caller_by_the_person(issuer: Issuer) -> None:
    caller = await identify(request(issuer.token("ada")))
    assert caller.limit_key == f"owner:{caller.owner_id}"


async def test_it_still_takes_tokens_of_its_own(issuer: Issuer) -> None:
    user = await database.write(User.objects.create_user, "grace")
    token = (await database.write(AuthToken.objects.create, user=user))[1]
    assert await username(token) == "grace"


async def test_it_asks_nobody_again_within_five_seconds(
    issuer: Issuer, clock: Clock, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    token = issuer.token()
    await identify(request(token))
    clock.now += 4.9
    assert tokens.remembered(token)[0]


async def test_it_believes_no_token_beyond_its_expiry(issuer: Issuer, clock: Clock) -> None:
    token = issuer.token(exp=int(time.time()) + 2)
    await identify(request(token))
    clock.now += 2
    assert tokens.remembered(token) == (False, None)


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 1_700_000_000},
        {"exp": None},
        {"exp": "soon"},
        {"nbf": 4_000_000_000},
        {"iss": "https://login.example.org"},
        {"iss": None},
        {"aud": "another"},
        {"aud": None},
        {"aud": ["another", 7]},
        {"sub": None},
    ],
    ids=str,
)
async def test_it_refuses_a_token_with_such_a_claim(issuer: Issuer, claims: dict[str, Any]) -> None:
    assert await refused(issuer.token(**claims)) == 401


async def test_it_refuses_a_token_that_has_just_expired(issuer: Issuer) -> None:
    assert await refused(issuer.token(exp=int(time.time()) - 1)) == 401


async def test_it_takes_one_of_several_audiences(issuer: Issuer) -> None:
    assert await username(issuer.token(aud=["another", AUDIENCE]))


async def test_it_refuses_a_token_without_signature(issuer: Issuer) -> None:
    claims = claims_of(issuer.token())
    assert await refused(handmade({"alg": "none", "kid": "first"}, claims)) == 401


async def test_it_takes_no_public_key_for_a_secret(issuer: Issuer) -> None:
    claims = claims_of(issuer.token())
    assert await refused(handmade({"alg": "HS256", "kid": "first"}, claims, issuer.public_pem())) == 401


async def test_it_takes_no_shared_secret_from_the_key_set(issuer: Issuer) -> None:
    secret = b"s" * 32
    jwk = {"kty": "oct", "kid": "shared", "k": base64.urlsafe_b64encode(secret).rstrip(b"=").decode(), "alg": "HS256"}
    issuer.answer_with = json.dumps({"keys": [jwk]}).encode()
    claims = claims_of(issuer.token())
    assert await refused(handmade({"alg": "HS256", "kid": "shared"}, claims, secret)) == 401


async def test_it_refuses_a_changed_token(issuer: Issuer) -> None:
    header, _, signature = issuer.token("ada").split(".")
    assert await refused(f"{header}.{issuer.token('grace').split('.')[1]}.{signature}") == 401


@pytest.mark.parametrize("token", ["aa.bb.cc", "eyJhbGciOiJSUzI1NiJ9.e30.c2ln", "a.b", "a" * 9000 + ".bb.cc"])
async def test_it_refuses_what_only_looks_like_a_token(token: str) -> None:
    assert await refused(token) == 401


async def test_it_refuses_a_person_who_was_deactivated(issuer: Issuer, clock: Clock) -> None:
    token = issuer.token()
    await identify(request(token))
    await database.write(User.objects.update, is_active=False)
    clock.now += 5
    assert await refused(token) == 401


async def test_it_takes_a_key_that_is_new(issuer: Issuer, clock: Clock) -> None:
    await identify(request(issuer.token()))
    issuer.rotate()
    clock.now += COOLDOWN
    assert await username(issuer.token())


async def test_it_forgets_a_key_that_was_withdrawn(issuer: Issuer, clock: Clock) -> None:
    old = issuer.token()
    await identify(request(old))
    issuer.rotate()
    clock.now += FRESH
    await username(issuer.token())
    assert await refused(old) == 401


async def test_it_asks_for_no_key_twice_in_a_while(issuer: Issuer) -> None:
    statuses = [await refused(issuer.token(kid=f"invented-{number}")) for number in range(20)]
    assert (set(statuses), issuer.fetches) == ({401}, 1)


async def test_it_asks_a_provider_that_fails_no_more_often(issuer: Issuer) -> None:
    issuer.answer_with = b"<html>"
    statuses = [await refused(issuer.token(kid=f"invented-{number}")) for number in range(20)]
    assert (set(statuses), issuer.fetches) == ({503}, 1)


async def test_it_asks_once_for_many_at_the_same_time(issuer: Issuer) -> None:
    await asyncio.gather(*(identify(request(issuer.token(str(number)))) for number in range(10)))
    assert issuer.fetches == 1


async def test_it_cannot_tell_while_the_keys_were_never_had(issuer: Issuer) -> None:
    issuer.close()
    with pytest.raises(ApiError) as error:
        await identify(request(issuer.token()))
    assert (status_of(error), error.value.headers["Retry-After"]) == (503, "5")


async def test_it_goes_on_with_the_keys_it_has(issuer: Issuer, clock: Clock) -> None:
    await identify(request(issuer.token()))
    issuer.close()
    clock.now += KEPT - 1
    assert await username(issuer.token())


async def test_it_does_not_go_on_for_ever(issuer: Issuer, clock: Clock) -> None:
    await identify(request(issuer.token()))
    issuer.close()
    clock.now += KEPT
    assert await refused(issuer.token()) == 503


async def test_it_takes_none_where_the_issuer_is_not_set(issuer: Issuer, settings: Settings) -> None:
    settings.AUTH_JWT_ISSUER = None
    assert await refused(issuer.token()) == 401
