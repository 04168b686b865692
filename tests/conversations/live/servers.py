"""Real servers on loopback, several on one database where a test wants several workers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from providers.simulator import server as simulator_server

ROOM = Path(__file__).resolve().parents[3]


class Server:
    """root: its address, such as `127.0.0.1:40000`"""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.root = f"127.0.0.1:{port}"
        self.http = f"http://{self.root}"
        options = ["--port", str(port), "--log-level", "warning", "--timeout-graceful-shutdown", "5"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "dialogix.asgi:application", *options], cwd=ROOM, env=environment
        )
        self._port = port

    def wait_until_ready(self) -> None:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            assert self.process.poll() is None, "the server did not start"
            time.sleep(0.05)
        raise AssertionError("the server is not ready")

    def url(self, conversation_id: str) -> str:
        return f"ws://{self.root}/ws/conversations/{conversation_id}/"

    def run(self, code: str) -> str:
        """Run Python in another process of this installation; what it prints."""
        command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]
        done = subprocess.run(command, cwd=ROOM, env=self._environment, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def shut_down(self) -> None:
        """Ask it to end, as an operator does."""
        self.process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def servers(folder: Path, count: int = 1, **settings: str) -> Iterator[list[Server]]:
    """So many workers on one new database, with the simulator as their vendors."""
    environment = {
        **os.environ,
        **simulator_server.environment(simulator_server.ensure_running()),
        "DATABASE_URL": f"sqlite:///{folder / 'dialogix.sqlite3'}",
        "STATE_DIR": str(folder),
        "FORBID_VENDORS": "true",
        "RATE_LIMIT": "100000/h",
        "ENV_FILE": str(folder / "none"),
        **settings,
    }
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOM, env=environment, check=True)
    started = [Server(environment) for _ in range(count)]
    try:
        for server in started:
            server.wait_until_ready()
        yield started
    finally:
        for server in started:
            server.stop()


@pytest.fixture(scope="session")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    """Two workers that share a database and nothing else, in open mode."""
    with servers(tmp_path_factory.mktemp("workers"), 2) as started:
        yield started


@pytest.fixture(scope="session")
def owned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that asks who is calling."""
    with servers(tmp_path_factory.mktemp("owned"), AUTH_MODE="required") as (server,):
        yield server
