"""The simulator's socket: one per process, on loopback, and alone in the foreground."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import openai
import pytest

from providers.simulator import server
from tests.providers.simulator.sdks import VENDORS, complete
from tests.simulator import ROOM, Simulator, simulator_process

COMMAND = [sys.executable, "-m", "providers.simulator"]


@pytest.fixture(autouse=True)
def own_simulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One that these tests may stop; the process's own goes on serving others."""
    monkeypatch.setattr(server, "_running", None)
    yield
    server.stop()


def test_it_runs_once(simulator: Simulator) -> None:
    assert server.ensure_running() == server.ensure_running() == simulator.root


def test_it_runs_once_for_many_threads() -> None:
    server.stop()
    roots: list[str] = []
    threads = [threading.Thread(target=lambda: roots.append(server.ensure_running())) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(roots) == 20
    assert len(set(roots)) == 1


def test_it_listens_on_loopback(simulator: Simulator) -> None:
    assert simulator.root.startswith("http://127.0.0.1:")


def test_it_stops_while_a_reply_stalls(simulator: Simulator) -> None:
    simulator.script(fault="stall")
    failures: list[Exception] = []

    def ask() -> None:
        try:
            complete("openai", simulator)
        except openai.APIConnectionError as error:
            failures.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    simulator.wait(state="open")
    server.stop()
    thread.join()
    assert len(failures) == 1


def test_it_runs_anew_in_a_forked_child(simulator: Simulator) -> None:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, server.ensure_running().encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    root = os.read(reader, 200).decode()
    os.close(reader)
    assert root.startswith("http://127.0.0.1:")
    assert root != simulator.root


def test_it_goes_on_in_the_parent_of_a_fork(simulator: Simulator) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    assert "simulator" in complete("openai", simulator)


@pytest.mark.parametrize("vendor", VENDORS)
def test_it_runs_alone(vendor: str) -> None:
    with simulator_process() as simulator:
        assert "simulator" in complete(vendor, simulator)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_exits_cleanly(number: int) -> None:
    with subprocess.Popen([*COMMAND, "--quiet"], cwd=ROOM, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(number)
        _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (0, b"")


def test_it_prints_the_environment_to_set() -> None:
    with subprocess.Popen(COMMAND, cwd=ROOM, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().strip() for _ in range(8)]
        process.terminate()
    root = lines[0].split()[4]
    assert [f"export {name}={value}" for name, value in server.environment(root).items()] == lines[2:]
