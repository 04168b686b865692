"""Defaults that keep a newcomer safe, and what a deployment changes."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.conf import settings

from tests.services import environment

PRODUCTION = {
    "SIMULATOR": "off",
    "OPENAI_API_KEY": "key",
    "DJANGO_HTTPS": "yes",
    "ALLOWED_HOSTS": "chat.example.org",
    "AUTH_MODE": "required",
    "REDIS_URL": "redis://localhost",
    "DATABASE_URL": "postgres://localhost/dialogix",
}


def check(**variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    variables = {**PRODUCTION, **variables}
    return subprocess.run(
        command,
        cwd=environment.ROOT,
        env=environment.for_process(**variables),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", False),
        ("CORS_ALLOWED_ORIGINS", ["http://localhost:5000"]),
        ("SESSION_COOKIE_HTTPONLY", True),
        ("SESSION_COOKIE_SAMESITE", "Lax"),
        ("CSRF_COOKIE_SAMESITE", "Lax"),
        ("X_FRAME_OPTIONS", "DENY"),
        ("APPEND_SLASH", False),
        ("HOST", "127.0.0.1"),
        ("AUTH_MODE", "open"),
        ("RATE_LIMIT", "500/h"),
        ("DEFAULT_PROVIDER", "gpt"),
        ("PROVIDER_TIMEOUT", 30),
        ("SHUTDOWN_GRACE", 20),
        ("WEB_WORKERS", 1),
        ("TRUSTED_PROXIES", ()),
        ("PROVIDER_HEALTH_CACHE", 5),
        ("SIMULATOR", "auto"),
    ],
)
def test_it_is_set_by_default(name: str, value: object) -> None:
    assert getattr(settings, name) == value


def test_it_answers_to_loopback_names_alone_by_default() -> None:
    assert [name for name in settings.ALLOWED_HOSTS if name != "testserver"] == ["localhost", "127.0.0.1", "[::1]"]


def test_a_deployment_gives_django_nothing_to_warn_of() -> None:
    done = check()
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("name", "value"), [("SIMULATOR", "auto"), ("DJANGO_HTTPS", "no"), ("DJANGO_DEBUG", "yes")])
def test_a_deployment_that_is_not_safe_does_not_pass(name: str, value: str) -> None:
    assert check(**{name: value}).returncode == 1
