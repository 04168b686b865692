from __future__ import annotations

import pytest
from pytest_django import Settings

from conversations.checks import keys_over_https, outside_tokens


def configure(settings: Settings, url: str | None, issuer: str | None, audience: tuple[str, ...]) -> None:
    settings.AUTH_JWKS_URL, settings.AUTH_JWT_ISSUER, settings.AUTH_JWT_AUDIENCE = url, issuer, audience


@pytest.mark.parametrize(
    ("url", "issuer", "audience"),
    [("https://a.example", None, ()), (None, "a", ("b",)), ("https://a.example", "a", ()), (None, None, ("b",))],
)
def test_it_refuses_one_variable_without_the_others(
    settings: Settings, url: str | None, issuer: str | None, audience: tuple[str, ...]
) -> None:
    configure(settings, url, issuer, audience)
    assert [found.id for found in outside_tokens()] == ["conversations.E001"]


def test_it_takes_none_of_them(settings: Settings) -> None:
    configure(settings, None, None, ())
    assert outside_tokens() == []


def test_it_takes_all_of_them(settings: Settings) -> None:
    settings.AUTH_MODE = "required"
    configure(settings, "https://a.example", "a", ("b",))
    assert outside_tokens() == []


def test_it_warns_of_open_mode(settings: Settings) -> None:
    settings.AUTH_MODE = "open"
    configure(settings, "https://a.example", "a", ("b",))
    assert [found.id for found in outside_tokens()] == ["conversations.W001"]


@pytest.mark.parametrize(("url", "ids"), [("http://a.example", ["conversations.W002"]), ("https://a.example", [])])
def test_it_warns_of_keys_over_http(settings: Settings, url: str, ids: list[str]) -> None:
    configure(settings, url, "a", ("b",))
    assert [found.id for found in keys_over_https()] == ids
