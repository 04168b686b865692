from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.services import environment
from tests.services.server import LiveServer


def start(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A start that is expected to fail."""
    return subprocess.run(
        [sys.executable, "-m", "dialogix.serve", *arguments],
        cwd=environment.ROOT,
        env=environment.for_process(**variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("WEB_WORKERS", "0"),
        ("AUTH_MODE", "closed"),
        ("RATE_LIMIT", "many"),
        ("DATABASE_URL", "mysql://host/name"),
        ("TRUSTED_PROXIES", "proxy"),
        ("DEFAULT_PROVIDER", "llama"),
        ("OPENAI_BASE_URL", "localhost"),
    ],
)
def test_it_refuses_a_bad_environment_in_one_line_that_names_the_variable(name: str, value: str) -> None:
    ended = start(**{name: value})
    assert (ended.returncode, ended.stderr.count("\n"), ended.stderr.split()[0]) == (2, 1, name)


def test_it_says_in_one_line_that_the_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = start(PORT=str(taken.getsockname()[1]))
    assert (ended.returncode, ended.stderr.count("\n"), ended.stderr.split()[0]) == (1, 1, "PORT")


def test_it_says_in_one_line_that_the_database_cannot_be_migrated() -> None:
    ended = start("--migrate", DATABASE_URL="sqlite:////nowhere/file.sqlite3")
    assert (ended.returncode, ended.stderr.count("\n"), "DATABASE_URL" in ended.stderr) == (1, 1, True)


def test_it_touches_no_database_before_it_has_its_port(tmp_path: Path) -> None:
    file = tmp_path / "new.sqlite3"
    start("--migrate", DATABASE_URL=f"sqlite:///{file}", HOST="203.0.113.1")
    assert not file.exists()


def test_it_makes_the_tables_where_it_is_asked_to(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(database=f"sqlite:///{tmp_path / 'new.sqlite3'}", arguments="--migrate")
    server.wait_until_ready()


@pytest.fixture(scope="module")
def bare() -> Iterator[LiveServer]:
    """A server with nothing set up."""
    server = LiveServer()
    yield server
    server.close()


def test_it_tells_a_newcomer_where_it_is(bare: LiveServer) -> None:
    assert f"http://localhost:{bare.port}\n" in bare.stdout.read_text()


def test_it_tells_which_models_are_simulated(bare: LiveServer) -> None:
    assert "gpt     simulated  gpt-4o, then gpt-4o-mini" in bare.stdout.read_text()


def test_it_tells_who_is_live_and_who_is_off(start_server: StartServer) -> None:
    said = start_server(ANTHROPIC_BASE_URL="http://127.0.0.1:1").stdout.read_text()
    assert "claude  live" in said
    assert "gpt     off        set OPENAI_API_KEY or OPENAI_BASE_URL" in said


def test_what_it_suggests_to_try_works(bare: LiveServer) -> None:
    command = bare.stdout.read_text().partition("Try:")[2].strip()
    done = subprocess.run(["sh", "-c", f"exec {command}"], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("data: [DONE]\n\n")


def test_it_says_it_once_for_all_workers(start_server: StartServer) -> None:
    server = start_server(WEB_WORKERS="2")
    assert server.stdout.read_text().count("Dialogix listens") == 1


def test_it_logs_nothing_but_json(server: LiveServer) -> None:
    assert [line for line in server.stderr.read_text().splitlines() if not line.startswith("{")] == []
