"""Servers as processes on loopback: how each is started, and what its whole tree of processes has cost."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from providers.simulator import server as simulator

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
UVICORN = (PYTHON, "-m", "uvicorn", "--loop", "uvloop", "--http", "httptools", "--no-access-log", "--backlog", "2048")
START_SECONDS = 60.0
STOP_SECONDS = 10.0


class Server:
    """A running process that listens on `port`, and what it started itself."""

    def __init__(self, name: str, port: int, process: subprocess.Popen[bytes]) -> None:
        self.name = name
        self.port = port
        self.process = process

    @property
    def tree(self) -> list[psutil.Process]:
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def cpu(self) -> float:
        """Seconds of CPU since the start, user and system, over the whole tree."""
        return sum(cpu_seconds(process.pid) for process in self.tree)

    def memory(self) -> int:
        """Resident bytes of the whole tree."""
        return sum(process.memory_info().rss for process in self.tree)


def cpu_seconds(pid: int) -> float:
    """Nanoseconds count here: /proc/<pid>/stat, which psutil reads, knows hundredths of a second."""
    if sys.platform != "linux":
        times = psutil.Process(pid).cpu_times()
        return float(times.user + times.system)
    # The clock of all threads of a process, ended ones included: clock_getcpuclockid(3), which Python lacks.
    return time.clock_gettime((~pid << 3) | 2)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def command(name: str, port: int, upstream: int) -> Sequence[str]:
    match name:
        case "simulator":
            return PYTHON, "-m", "providers.simulator", "--no-recording", "--port", str(port)
        case "dialogix":
            return PYTHON, "-m", "dialogix.serve", "--migrate"
        case "baseline":
            return *UVICORN, "--port", str(port), "bench.baseline_sdk:app"
        case "floor":
            return *UVICORN, "--port", str(port), "--lifespan", "off", "bench.floor:app"
    raise ValueError(name)


def environment(port: int, upstream: int, folder: Path) -> dict[str, str]:
    """One worker, production's settings, a database of its own, and the simulator for OpenAI."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "DJANGO_"))},
        "PORT": str(port),
        "STATE_DIR": str(folder),
        "ENV_FILE": str(folder / "none.env"),
        "DATABASE_URL": "",
        "REDIS_URL": "",
        "WEB_WORKERS": "1",
        "AUTH_MODE": "open",
        "RATE_LIMIT": "100000000/h",
        "SHUTDOWN_GRACE": "1",
        "SIMULATOR": "off",
        "OPENAI_API_KEY": "bench",
        "OPENAI_BASE_URL": simulator.base_url("openai", f"http://127.0.0.1:{upstream}"),
    }


@contextmanager
def running(
    name: str, folder: Path, upstream: int = 0, *, other: Sequence[str] = (), port: int = 0
) -> Iterator[Server]:
    """Start a server, wait until it listens, and stop it in the end.

    folder: for its state and its log;  other: another command than the server's own
    """
    port = port or free_port()
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            other or command(name, port, upstream),
            cwd=ROOT,
            env=environment(port, upstream, folder),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            _await(process, port, log)
            yield Server(name, port, process)
        finally:
            _stop(process)


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"the server does not listen:\n{log.read_text()[-3000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
