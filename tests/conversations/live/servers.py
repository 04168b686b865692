"""Real servers, several on one database where a test wants several workers that share nothing else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from providers.simulator import server as simulator_server
from tests.services import databases, environment
from tests.services.server import LiveServer


class Server(LiveServer):
    @property
    def root(self) -> str:
        """Such as `127.0.0.1:40000`."""
        return f"127.0.0.1:{self.port}"

    def socket_url(self, conversation_id: str) -> str:
        return f"ws://{self.root}/ws/conversations/{conversation_id}/"

    def run(self, code: str) -> str:
        """Run Python in another process of this installation; what it prints."""
        command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]
        variables = environment.for_process(**self._variables)
        done = subprocess.run(
            command, cwd=environment.ROOT, env=variables, check=True, stdout=subprocess.PIPE, text=True
        )
        return done.stdout.strip()


@contextmanager
def servers(count: int = 1, **variables: str) -> Iterator[list[Server]]:
    """So many workers on one new database, with this process's simulator as their vendors."""
    database = databases.fresh()
    given: dict[str, Any] = {
        "RATE_LIMIT": "100000/h",
        **simulator_server.environment(simulator_server.ensure_running()),
        **variables,
    }
    started: list[Server] = []
    try:
        for _ in range(count):
            one = Server(database=database, **given)
            started.append(one)
        yield started
    finally:
        for server in started:
            server.close()
        databases.drop(database)


@pytest.fixture(scope="session")
def workers() -> Iterator[list[Server]]:
    """Two workers that share a database and nothing else, in open mode."""
    with servers(2) as started:
        yield started


@pytest.fixture(scope="session")
def owned() -> Iterator[Server]:
    """A server that asks who is calling."""
    with servers(AUTH_MODE="required") as (server,):
        yield server
