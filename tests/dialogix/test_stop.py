from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Callable

import httpx
import psutil
import pytest

from tests.conftest import StartServer
from tests.services.server import LiveServer
from tests.simulator import Simulator

CHAT = {"messages": [{"role": "user", "content": "Hello"}]}


def until(true: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def answers(server: LiveServer, path: str = "/livez") -> int:
    try:
        return httpx.get(server.url + path, timeout=30).status_code
    except httpx.TransportError:
        return 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_ends_with_success_when_told_to(workers: str, start_server: StartServer) -> None:
    assert start_server(WEB_WORKERS=workers).stop() == 0


def test_a_reply_under_way_gets_its_time(start_server: StartServer, simulator: Simulator) -> None:
    server = start_server(**simulator.env("openai"))
    simulator.script(chunks=20, delay=0.05)
    with httpx.stream("POST", f"{server.url}/chat/gpt", json=CHAT, timeout=30) as reply:
        lines = reply.iter_lines()
        next(lines)
        server.process.terminate()
        rest = list(lines)
    assert rest[-2:] == ["data: [DONE]", ""]
    assert not any("error" in line for line in rest)


def test_a_reply_that_outlasts_its_time_is_told(start_server: StartServer, simulator: Simulator) -> None:
    server = start_server(**simulator.env("openai"), SHUTDOWN_GRACE="0.2")
    simulator.script(chunks=2000, delay=0.05)
    with httpx.stream("POST", f"{server.url}/chat/gpt", json=CHAT, timeout=30) as reply:
        lines = reply.iter_lines()
        next(lines)
        server.process.terminate()
        rest = [line for line in lines if line]
    assert '"error"' in rest[-2]
    assert rest[-1] == "data: [DONE]"


def test_what_comes_meanwhile_is_told_to_come_back(start_server: StartServer, simulator: Simulator) -> None:
    server = start_server(**simulator.env("openai"))
    simulator.script(chunks=2000, delay=0.05)
    with httpx.stream("POST", f"{server.url}/chat/gpt", json=CHAT, timeout=30) as reply:
        lines = reply.iter_lines()  # kept: an iterator that is thrown away closes the connection
        next(lines)
        server.process.terminate()
        server.wait_for_log(event="draining", generations=1)
        refused = httpx.post(f"{server.url}/chat/gpt", json=CHAT, timeout=30)
        assert (refused.status_code, answers(server, "/readyz"), answers(server)) == (503, 503, 200)
        assert int(refused.headers["retry-after"]) > 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_means_now(number: signal.Signals, start_server: StartServer, simulator: Simulator) -> None:
    server = start_server(**simulator.env("openai"), SHUTDOWN_GRACE="3600")
    simulator.script(chunks=100_000, delay=0.05)
    with httpx.stream("POST", f"{server.url}/chat/gpt", json=CHAT, timeout=30) as reply:
        lines = reply.iter_lines()
        next(lines)
        server.process.send_signal(number)
        server.wait_for_log(event="draining", generations=1)
        server.process.send_signal(number)
        assert server.process.wait(30) == 0


def test_a_worker_that_dies_is_replaced(start_server: StartServer) -> None:
    server = start_server(WEB_WORKERS="2")
    until(lambda: len(server.worker_pids) == 2)
    victim = server.worker_pids[0]
    os.kill(victim, signal.SIGKILL)
    until(lambda: victim not in server.worker_pids and len(server.worker_pids) == 2)
    until(lambda: answers(server) == 200)


def test_workers_end_by_themselves_when_their_supervisor_is_gone(start_server: StartServer) -> None:
    server = start_server(WEB_WORKERS="2")
    workers = [psutil.Process(pid) for pid in server.worker_pids]
    server.process.kill()
    gone, alive = psutil.wait_procs(workers, timeout=30)
    assert (len(gone), alive) == (2, [])


def test_it_comes_back_on_the_same_port(start_server: StartServer) -> None:
    server = start_server()
    server.restart()
    assert answers(server) == 200


@pytest.mark.parametrize("workers", ["1", "2"])
def test_behind_a_proxy_nobody_new_is_accepted_while_replies_end(
    workers: str, start_server: StartServer, simulator: Simulator
) -> None:
    server = start_server(**simulator.env("openai"), TRUSTED_PROXIES="127.0.0.1", WEB_WORKERS=workers)
    simulator.script(chunks=100, delay=0.05)
    with httpx.stream("POST", f"{server.url}/chat/gpt", json=CHAT, timeout=30) as reply:
        lines = reply.iter_lines()
        next(lines)
        server.process.terminate()
        until(lambda: answers(server) == 0)
        rest = list(lines)
    assert rest[-2:] == ["data: [DONE]", ""]
    assert not any("error" in line for line in rest)


def test_behind_a_proxy_who_was_connected_is_still_served(start_server: StartServer, simulator: Simulator) -> None:
    server = start_server(**simulator.env("openai"), TRUSTED_PROXIES="127.0.0.1")
    with httpx.Client(base_url=server.url, timeout=30) as proxy:
        proxy.get("/livez")
        server.process.terminate()
        until(lambda: answers(server) == 0)
        assert proxy.post("/chat/gpt", json=CHAT).status_code == 200


def test_behind_a_proxy_who_stood_in_the_queue_is_still_served(start_server: StartServer, simulator: Simulator) -> None:
    server = start_server(**simulator.env("openai"), TRUSTED_PROXIES="127.0.0.1")
    simulator.script(text="hello")
    body = json.dumps(CHAT)
    fields = f"Host: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close"
    server.process.send_signal(signal.SIGSTOP)
    connections = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(50)]
    for connection in connections:
        connection.sendall(f"POST /chat/gpt HTTP/1.1\r\n{fields}\r\n\r\n{body}".encode())
    server.process.send_signal(signal.SIGTERM)
    server.process.send_signal(signal.SIGCONT)
    answered = [connection.makefile("rb").read() for connection in connections]
    assert all(answer.startswith(b"HTTP/1.1 200") and b"[DONE]" in answer for answer in answered)
