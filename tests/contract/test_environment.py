"""The environment: a bad value stops the process and is named; a good one does what it says."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.services import environment

BAD = {
    "PORT": "http",
    "DATABASE_URL": "mysql://me:a-password@host/name",
    "REDIS_URL": "http://me:a-password@host",
    "AUTH_MODE": "closed",
    "SIMULATOR": "on",
    "DEFAULT_PROVIDER": "openai",
    "PROVIDER_TIMEOUT": "soon",
    "PROVIDER_HEALTH_CACHE": "-1",
    "RATE_LIMIT": "500",
    "TRUSTED_PROXIES": "10.0.0.0/8, proxy.example",
    "SHUTDOWN_GRACE": "nan",
    "WEB_WORKERS": "0",
    "CORS_ALLOWED_ORIGINS": "*",
    "OPENAI_BASE_URL": "localhost:11434",
    "OPENAI_TEMPERATURE": "hot",
    "ANTHROPIC_MAX_TOKENS": "0",
    "DJANGO_DEBUG": "perhaps",
    "LOG_LEVEL": "loud",
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_value_stops_the_process_and_is_named(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dialogix.serve"],
        cwd=environment.ROOT,
        env=environment.for_process(**{name: BAD[name]}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert name in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "a-password" not in done.stderr
