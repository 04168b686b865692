from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from knox.auth import TokenAuthentication
from knox.models import AuthToken
from pytest_django import DjangoAssertNumQueries

from conversations.api import tokens
from conversations.api.tokens import Memory
from conversations.models import User

pytestmark = pytest.mark.django_db


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    monkeypatch.setattr(tokens.known, "clock", clock)
    monkeypatch.setattr(tokens.refused, "clock", clock)
    tokens.forget()
    yield clock
    tokens.forget()


@pytest.fixture
def token() -> str:
    return AuthToken.objects.create(user=User.objects.create_user("ada"))[1]


def test_it_remembers_what_a_token_means(clock: Clock, token: str) -> None:
    grant = tokens.verify(token)
    assert grant is not None
    assert tokens.remembered(token) == (True, grant)


def test_it_remembers_a_refusal(clock: Clock) -> None:
    tokens.verify("a" * 64)
    assert tokens.remembered("a" * 64) == (True, None)


@pytest.mark.parametrize("revoked", [True, False])
def test_it_asks_again_after_five_seconds(clock: Clock, token: str, revoked: bool) -> None:
    if revoked:
        AuthToken.objects.all().delete()
    tokens.verify(token)
    clock.now += 5
    assert tokens.remembered(token) == (False, None)


def test_it_counts_from_before_it_asked(clock: Clock, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that is revoked while the database answers slowly is not believed any longer for that."""
    authenticate = TokenAuthentication.authenticate_credentials

    def slowly(self: TokenAuthentication, token: bytes) -> object:
        clock.now += 4
        return authenticate(self, token)

    monkeypatch.setattr(TokenAuthentication, "authenticate_credentials", slowly)
    tokens.verify(token)
    clock.now += 1
    assert tokens.remembered(token) == (False, None)


def test_it_believes_no_token_beyond_its_expiry(clock: Clock) -> None:
    user = User.objects.create_user("ada")
    token = AuthToken.objects.create(user=user, expiry=timedelta(seconds=2))[1]
    tokens.verify(token)
    clock.now += 2
    assert tokens.remembered(token) == (False, None)


def test_it_asks_no_database_about_what_is_no_token(
    clock: Clock, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        assert tokens.remembered("a b") == (True, None)


def test_it_keeps_no_token_in_clear(clock: Clock, token: str) -> None:
    tokens.verify(token)
    assert token not in repr(vars(tokens.known))


def test_a_memory_is_bounded() -> None:
    memory: Memory[int] = Memory(size=3)
    for number in range(10):
        memory.put(str(number), number, until=float("inf"))
    assert [memory.get(str(number)) for number in range(10)] == [None] * 7 + [7, 8, 9]
