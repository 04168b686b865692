"""A real server in a process of its own, as `make run` starts it."""

from __future__ import annotations

import atexit
import json
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from itertools import count
from typing import Any

import httpx
import psutil

from tests.services import databases, environment

STARTING_SECONDS = 60
LISTENS = re.compile(r"listens on http://\S+:(\d+)")

_numbers = count(1)
_started: set[LiveServer] = set()


class LiveServer:
    """Started when made; `url` is its root, without a slash at the end.

    database:  the URL of one to use; by default it gets one of its own
    arguments: of its command line, separated by spaces
    variables: its environment, on top of a clean one
    """

    def __init__(self, *, database: str | None = None, arguments: str = "", **variables: str) -> None:
        self._arguments = arguments.split()
        self._own_database = database is None
        self.database_url = database or databases.fresh()
        self._variables = {"DATABASE_URL": self.database_url, **variables}
        self.stdout = environment.FOLDER / f"server-{next(_numbers)}.out"
        self.stderr = self.stdout.with_suffix(".err")
        self.port = 0
        self.start()

    # -- its life ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Raises AssertionError, with what it said, when it does not begin to listen."""
        said_before = self.stdout.stat().st_size if self.stdout.exists() else 0
        variables = {"PORT": str(self.port), **self._variables}
        with self.stdout.open("ab") as output, self.stderr.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dialogix.serve", *self._arguments],
                cwd=environment.ROOT,
                env=environment.for_process(**variables),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
            )
        _started.add(self)
        self.port = self._wait_until_it_listens(said_before)

    def stop(self, seconds: float = 40) -> int:
        """Ask it to end, and wait. Returns its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(seconds)

    def kill(self) -> None:
        """End it at once, with its workers, as a crash would."""
        with suppress(psutil.NoSuchProcess):
            for process in [*psutil.Process(self.pid).children(recursive=True), psutil.Process(self.pid)]:
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGKILL)
        self.process.wait()

    def restart(self) -> None:
        """On the same port and the same database."""
        self.stop()
        self.start()

    def close(self) -> None:
        """The end of the test: nothing of it is left."""
        self.kill()
        if self._own_database:
            databases.drop(self.database_url)

    # -- what a test asks -------------------------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def worker_pids(self) -> list[int]:
        """The processes that answer: its children where there are several workers, else itself."""
        return [child.pid for child in psutil.Process(self.pid).children()] or [self.pid]

    def logs(self, logger: str | None = None) -> list[dict[str, Any]]:
        """The lines of the log so far, of that logger or of all."""
        lines = [line for line in self.stderr.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
        parsed = [json.loads(line) for line in lines]
        return [line for line in parsed if logger in (None, line["logger"])]

    def wait_for_log(self, seconds: float = 5, **fields: Any) -> dict[str, Any]:
        """The newest line of the log with these fields, once it is there."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = [line for line in self.logs() if fields.items() <= line.items()]
            if found:
                return found[-1]
            time.sleep(0.02)
        raise AssertionError(f"no line with {fields} in:\n{self.stderr.read_text(encoding='utf-8')}")

    def wait_until_ready(self) -> None:
        """Return once a balancer would send it requests."""
        deadline = time.monotonic() + STARTING_SECONDS
        while httpx.get(f"{self.url}/readyz").status_code != 200:
            if time.monotonic() > deadline:
                raise AssertionError(f"the server is not ready:\n{self.stderr.read_text(encoding='utf-8')}")
            time.sleep(0.05)

    def _wait_until_it_listens(self, said_before: int) -> int:
        deadline = time.monotonic() + STARTING_SECONDS
        while time.monotonic() < deadline:
            match = LISTENS.search(self.stdout.read_bytes()[said_before:].decode())
            if match is not None:
                return int(match[1])
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        self.process.kill()
        raise AssertionError(f"the server did not start:\n{self.stderr.read_text(encoding='utf-8')}")


@atexit.register
def _kill_what_is_left() -> None:
    """Where the run was interrupted while a server began, or while servers were taken down."""
    for server in _started:
        if server.process.poll() is None:
            server.kill()
