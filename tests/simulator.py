"""The simulator as tests use it: scripts in, what the vendors received out, over HTTP as from any other process."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

import msgspec
import pytest

from providers.simulator import server
from providers.simulator.scripts import Assignment, Script

ROOM = Path(__file__).resolve().parent.parent
_open = build_opener(ProxyHandler({})).open


class Simulator:
    """A running simulator. root: its URL, such as `http://127.0.0.1:40000`."""

    def __init__(self, root: str) -> None:
        self.root = root

    def base_url(self, vendor: str) -> str:
        """What the SDK of `openai`, `anthropic` or `gemini` takes for its base URL."""
        return server.base_url(vendor, self.root)

    def env(self, *vendors: str) -> dict[str, str]:
        """The environment that points the providers of these vendors, or all three, to this simulator.

        A server loads the SDKs of those it has, which is most of what its start costs.
        """
        wanted = [vendor.upper() for vendor in vendors]
        every = server.environment(self.root)
        return {name: value for name, value in every.items() if not wanted or any(each in name for each in wanted)}

    def script(
        self, vendor: str | None = None, model: str | None = None, *, times: int | None = None, **fields: Any
    ) -> None:
        """Add a script, behind those added before: `simulator.script("openai", "gpt-4o", status=503, times=1)`."""
        script = msgspec.convert(fields, Script)
        assignment = Assignment(script=script, vendor=vendor, model=model, times=times)  # type: ignore[arg-type]
        self._call("POST", "/_simulator/scripts", [msgspec.to_builtins(assignment)])

    def requests(self, vendor: str | None = None) -> list[dict[str, Any]]:
        """What was received, oldest first, as `Exchange.describe` tells it: model, headers, body, state, status, …"""
        received = self._call("GET", "/_simulator/requests")
        return [request for request in received if vendor in (None, request["vendor"])]

    def chats(self, vendor: str | None = None) -> list[dict[str, Any]]:
        """The requests for replies alone, without questions about models."""
        return [request for request in self.requests(vendor) if request["method"] == "POST"]

    def last(self, vendor: str | None = None) -> dict[str, Any]:
        """The newest request for a reply."""
        return self.chats(vendor)[-1]

    def wait(self, vendor: str | None = None, *, state: str = "client_closed", seconds: float = 5) -> dict[str, Any]:
        """The newest request for a reply, once it has reached that state. Raises AssertionError when it does not."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            chats = self.chats(vendor)
            if chats and chats[-1]["state"] == state:
                return chats[-1]
            time.sleep(0.01)
        found = [chat["state"] for chat in self.chats(vendor)]
        raise AssertionError(f"not {state} within {seconds} s: {found}")

    def clear(self) -> None:
        """Forget scripts and requests."""
        self._call("DELETE", "/_simulator/scripts")
        self._call("DELETE", "/_simulator/requests")

    def _call(self, method: str, path: str, value: object = None) -> Any:
        # Escaped to ASCII, so that halves of surrogate pairs arrive.
        body = None if value is None else json.dumps(value).encode()
        with _open(Request(self.root + path, body, {"content-type": "application/json"}, method=method)) as response:
            return json.load(response)


@contextmanager
def simulator_process() -> Iterator[Simulator]:
    """A simulator in a process of its own, for benchmarks and for tests that must not share one."""
    command = [sys.executable, "-m", "providers.simulator", "--quiet"]
    with subprocess.Popen(command, cwd=ROOM, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Simulator(process.stdout.readline().strip())
        finally:
            process.terminate()


@pytest.fixture
def simulator() -> Simulator:
    """The simulator of this process, with nothing left of other tests."""
    simulator = Simulator(server.ensure_running())
    simulator.clear()
    return simulator
