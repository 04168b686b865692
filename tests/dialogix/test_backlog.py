"""Connections that wait to be accepted: hundreds of phones come back at once, and a pause of ours must refuse none."""

from __future__ import annotations

import os
import resource
import select
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.services.server import LiveServer

BACKLOG = 2048
SOMAXCONN = Path("/proc/sys/net/core/somaxconn")


@pytest.fixture
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 8192)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def established(server: LiveServer, count: int, seconds: int = 20) -> int:
    """How many of so many connections to a server that accepts none are made all the same."""
    with ExitStack() as opened:
        poll, waiting = select.poll(), {}
        for _ in range(count):
            connection = opened.enter_context(socket.socket())
            connection.setblocking(False)
            connection.connect_ex(("127.0.0.1", server.port))
            poll.register(connection, select.POLLOUT)
            waiting[connection.fileno()] = connection
        while waiting and (found := poll.poll(seconds * 1000)):
            for number, _ in found:
                poll.unregister(number)
                assert waiting.pop(number).getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        return count - len(waiting)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_that_pauses_refuses_no_crowd(start_server: StartServer, many_files: None, workers: str) -> None:
    server = start_server(WEB_WORKERS=workers)
    wanted = min(BACKLOG, int(SOMAXCONN.read_text())) if SOMAXCONN.exists() else 128
    paused = [server.pid, *server.worker_pids]
    for pid in paused:
        os.kill(pid, signal.SIGSTOP)
    try:
        assert established(server, wanted) == wanted
    finally:
        for pid in paused:
            os.kill(pid, signal.SIGCONT)


def test_the_crowd_has_a_bound(start_server: StartServer, many_files: None) -> None:
    server = start_server()
    os.kill(server.pid, signal.SIGSTOP)
    try:
        assert established(server, 5000, seconds=1) < 5000
    finally:
        os.kill(server.pid, signal.SIGCONT)
