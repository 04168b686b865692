from __future__ import annotations

import pytest
from django.core.cache import cache
from django.http import HttpResponse, HttpResponseBase
from django.test import Client
from pytest_django import Settings

from conversations import signin
from conversations.models import User
from tests.conversations.redis_server import RedisServer, redis_server  # noqa: F401  (a fixture)

pytestmark = pytest.mark.django_db

ATTEMPTS_PER_ADDRESS = signin.PER_ADDRESS[0]
ATTEMPTS_PER_NAME = signin.PER_NAME[0]


@pytest.fixture(autouse=True)
def fresh_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing counted so far, and a period that does not end in the middle of a test."""
    cache.clear()
    signin._spare.clear()
    monkeypatch.setattr("time.time", lambda: 1_800_000_000.0)


@pytest.fixture(autouse=True)
def ada(settings: Settings) -> User:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return User.objects.create_superuser("ada", password="correct horse")


def sign_in(name: str = "ada", password: str = "wrong", address: str = "192.0.2.1") -> HttpResponseBase:
    return Client().post(
        "/admin/login/", {"username": name, "password": password, "next": "/admin/"}, REMOTE_ADDR=address
    )


def test_it_lets_the_right_password_in() -> None:
    response = sign_in(password="correct horse")
    assert (response.status_code, response["Location"]) == (302, "/admin/")


def test_it_lets_people_mistype() -> None:
    assert [sign_in().status_code for _ in range(ATTEMPTS_PER_ADDRESS)] == [200] * ATTEMPTS_PER_ADDRESS


def test_it_stops_an_address_that_guesses() -> None:
    for number in range(ATTEMPTS_PER_ADDRESS):
        sign_in(f"user-{number}")
    response = sign_in(password="correct horse")
    assert response.status_code == 429
    assert 1 <= int(response["Retry-After"]) <= signin.PER_ADDRESS[1]


def test_it_stops_nobody_else_with_it() -> None:
    for number in range(ATTEMPTS_PER_ADDRESS + 5):
        sign_in(f"user-{number}")
    assert sign_in(password="correct horse", address="192.0.2.2").status_code == 302


@pytest.mark.parametrize("name", ["ada", "ADA", "\uff41da"])
def test_it_stops_guesses_at_a_name_from_everywhere(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = ATTEMPTS_PER_ADDRESS + 5  # each costs a page
    monkeypatch.setattr(signin, "PER_NAME", (attempts, signin.PER_NAME[1]))
    for number in range(attempts):
        sign_in(name, address=f"198.51.100.{number}")
    assert sign_in(address="192.0.2.9").status_code == 429


def test_it_lets_one_address_lock_nobody_out() -> None:
    for _ in range(ATTEMPTS_PER_NAME + 5):
        sign_in()
    assert sign_in(password="correct horse", address="192.0.2.2").status_code == 302


def behind_a_proxy(forwarded_for: str, name: str) -> int:
    credentials = {"username": name, "password": "wrong"}
    return Client().post("/admin/login/", credentials, HTTP_X_FORWARDED_FOR=forwarded_for).status_code


def test_it_counts_the_client_and_not_the_proxy(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    for number in range(ATTEMPTS_PER_ADDRESS + 1):
        behind_a_proxy("192.0.2.1", f"user-{number}")
    assert behind_a_proxy("192.0.2.2", "ada") == 200


def test_it_counts_no_address_that_a_client_invents(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    for number in range(ATTEMPTS_PER_ADDRESS):
        behind_a_proxy(f"203.0.113.{number}, 192.0.2.1", f"user-{number}")
    assert behind_a_proxy("203.0.113.99, 192.0.2.1", "ada") == 429


def test_it_shows_the_form_however_often() -> None:
    assert [Client().get("/admin/login/").status_code for _ in range(ATTEMPTS_PER_ADDRESS + 5)][-1] == 200


def test_it_answers_with_a_plain_page() -> None:
    for _ in range(ATTEMPTS_PER_ADDRESS):
        sign_in()
    page = sign_in()
    assert isinstance(page, HttpResponse)
    assert "Wait" in page.content.decode()


def test_it_counts_in_redis(redis_server: RedisServer, settings: Settings) -> None:  # noqa: F811
    use_redis(settings, redis_server.url)
    for _ in range(ATTEMPTS_PER_ADDRESS):
        sign_in()
    assert sign_in().status_code == 429


def test_it_goes_on_while_redis_is_away(redis_server: RedisServer, settings: Settings) -> None:  # noqa: F811
    use_redis(settings, redis_server.url)
    redis_server.stop()
    assert sign_in(password="correct horse").status_code == 302


def test_it_resists_while_redis_is_away(redis_server: RedisServer, settings: Settings) -> None:  # noqa: F811
    use_redis(settings, redis_server.url)
    redis_server.stop()
    assert [sign_in().status_code for _ in range(ATTEMPTS_PER_ADDRESS + 1)][-1] == 429


def use_redis(settings: Settings, url: str) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": url}}
