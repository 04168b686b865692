from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect
from websockets.sync.server import serve

from tests.cluster.nginx import PLACES, Nginx
from tests.deploy.upstream import Answer, Node, busy, crash, nodes, ok
from tests.services import environment

Start = Callable[..., tuple[Nginx, list[Node]]]


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Start]:
    """nginx with the project's configuration before nodes that answer so, and further ports: `proxy(ok, crash)`."""
    with ExitStack() as stack:

        def start(*answers: Answer, ports: tuple[int, ...] = ()) -> tuple[Nginx, list[Node]]:
            started = stack.enter_context(nodes(*answers))
            nginx = Nginx(tmp_path / "nginx", _free_port(), [*ports, *(node.port for node in started)])
            nginx.start()
            stack.callback(nginx.stop)
            return nginx, started

        yield start


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def asked(started: list[Node]) -> int:
    return sum(len(node.requests) for node in started)


def test_it_is_taken_for_valid_by_nginx(tmp_path: Path) -> None:
    Nginx(tmp_path / "nginx", _free_port(), [8001, 8002])
    program = shutil.which("nginx", path=PLACES)
    assert program is not None
    command = [program, "-t", "-q", "-p", str(tmp_path / "nginx"), "-c", "nginx.conf"]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0


def test_it_finds_replicas_that_are_started_later() -> None:
    main = (environment.ROOT / "deploy" / "nginx" / "nginx.conf").read_text(encoding="utf-8")
    assert ("resolver 127.0.0.11" in main, "server web:8000 resolve" in main) == (True, True)


def test_it_sends_a_post_once_though_its_node_dies_over_it(proxy: Start) -> None:
    nginx, started = proxy(crash, crash)
    assert (httpx.post(f"{nginx.url}/chat/gpt", json={}).status_code, asked(started)) == (502, 1)


def test_it_sends_a_post_once_though_its_node_is_busy(proxy: Start) -> None:
    nginx, started = proxy(busy, busy)
    assert (httpx.post(f"{nginx.url}/chat/gpt", json={}).status_code, asked(started)) == (503, 1)


def test_it_asks_another_node_for_what_may_be_read_again(proxy: Start) -> None:
    nginx, _ = proxy(crash, ok)
    assert {httpx.get(f"{nginx.url}/chat/history/a").status_code for _ in range(2)} == {200}


def test_it_finds_another_node_for_a_post_that_nobody_has_received(proxy: Start) -> None:
    nginx, _ = proxy(ok, ports=(_free_port(),))
    assert {httpx.post(f"{nginx.url}/chat/gpt", json={}).status_code for _ in range(2)} == {200}


def test_it_passes_each_event_as_it_comes(proxy: Start) -> None:
    may_end = threading.Event()

    def stream(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: one\n\n")
        may_end.wait(20)
        connection.shutdown(socket.SHUT_RDWR)

    nginx, _ = proxy(stream)
    with httpx.stream("POST", f"{nginx.url}/chat/gpt", json={}) as response:
        assert next(response.iter_raw()) == b"data: one\n\n"
        may_end.set()


def test_it_uses_its_connections_again(proxy: Start) -> None:
    nginx, (node,) = proxy(ok)
    with httpx.Client() as client:
        for _ in range(8):
            client.get(f"{nginx.url}/chat/history/a")
    assert (node.connections, len(node.requests)) == (1, 8)


def test_it_tells_the_address_of_the_client_behind_what_the_client_says(proxy: Start) -> None:
    nginx, (node,) = proxy(ok)
    httpx.get(nginx.url, headers={"X-Forwarded-For": "203.0.113.7"})
    assert b"X-Forwarded-For: 203.0.113.7, 127.0.0.1\r\n" in node.requests[0]


def test_it_does_not_pass_on_what_is_for_the_inside(proxy: Start) -> None:
    nginx, started = proxy(ok)
    assert (httpx.get(f"{nginx.url}/metrics").status_code, asked(started)) == (404, 0)


def test_it_passes_a_body_of_the_largest_legal_size(proxy: Start) -> None:
    nginx, (node,) = proxy(ok)
    httpx.post(f"{nginx.url}/chat/gpt", content=b"a" * 16 * 1024 * 1024)
    assert len(node.requests[0]) > 16 * 1024 * 1024


def test_it_passes_sockets_both_ways(proxy: Start) -> None:
    def echo(socket: Any) -> None:
        for message in socket:
            socket.send(message)

    with serve(echo, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        nginx, _ = proxy(ports=(server.socket.getsockname()[1],))
        with connect(nginx.url.replace("http", "ws") + "/ws/conversations/a/") as client:
            client.send("hello")
            assert client.recv(20) == "hello"
