from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.dialogix.sockets import connect, exchange, status_of
from tests.services.server import LiveServer

MIB = 1024 * 1024
CLOSE = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"


def chunks(size: int) -> Iterator[bytes]:
    for _ in range(size // MIB):
        yield b"x" * MIB


def test_it_takes_a_header_block_below_the_bound(server: LiveServer) -> None:
    assert status_of(exchange(server, CLOSE + b"X-Big: " + b"a" * 60_000 + b"\r\n\r\n")) == 200


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(b"X-Big: " + b"a" * 70_000 + b"\r\n\r\n", id="one large field"),
        pytest.param(b"X-Small: a\r\n" * 6_000 + b"\r\n", id="many small fields"),
        pytest.param(b"X-Endless: " + b"a" * 70_000, id="a field without an end"),
        pytest.param(b"x" * 70_000, id="a name without an end"),
    ],
)
def test_it_refuses_a_header_block_beyond_it(block: bytes, server: LiveServer) -> None:
    assert status_of(exchange(server, CLOSE + block)) == 431


def test_it_counts_a_header_block_that_comes_in_pieces(server: LiveServer) -> None:
    assert status_of(exchange(server, CLOSE, *[b"X-Small: aaaaaaaaaa\r\n" * 100] * 40)) == 431


def test_it_counts_every_request_of_a_connection_anew(server: LiveServer) -> None:
    block = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Big: " + b"a" * 40_000 + b"\r\n"
    answer = exchange(server, block + b"\r\n", block + b"Connection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200") == 2


def test_it_refuses_a_long_address(server: LiveServer) -> None:
    assert status_of(exchange(server, b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")) == 414


def test_it_refuses_what_is_not_http(server: LiveServer) -> None:
    assert status_of(exchange(server, b"\x16\x03\x01 hello\r\n\r\n")) == 400


@pytest.mark.parametrize(("path", "key"), [("/chat/gpt", b'"detail"'), ("/chat/completions", b'"details"')])
def test_it_refuses_a_head_in_the_shape_of_the_route(path: str, key: bytes, server: LiveServer) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nX-Big: {'a' * 70_000}\r\n\r\n"
    assert key in exchange(server, head.encode())


@pytest.mark.parametrize("path", ["/chat/gpt", "/chat/completions", "/admin/login/"])
def test_it_refuses_an_announced_body_beyond_16_mib(path: str, server: LiveServer) -> None:
    answer = httpx.post(server.url + path, content=b"x" * (16 * MIB + 1), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


@pytest.mark.parametrize("path", ["/chat/gpt", "/chat/completions", "/admin/login/"])
def test_it_refuses_a_chunked_body_beyond_16_mib(path: str, server: LiveServer) -> None:
    answer = httpx.post(server.url + path, content=chunks(18 * MIB), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


def test_it_says_first_that_there_is_nothing_at_an_address(server: LiveServer) -> None:
    assert httpx.post(f"{server.url}/nothing", content=b"x" * (16 * MIB + 1)).status_code == 404


def test_it_does_not_wait_for_a_body_that_is_announced_too_large(server: LiveServer) -> None:
    head = b"POST /admin/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n"
    with connect(server) as connection:
        connection.sendall(head)
        assert status_of(connection.recv(65_536)) == 413


def test_it_closes_a_connection_that_goes_on_sending_what_was_refused(server: LiveServer) -> None:
    head = b"POST /admin/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999\r\n\r\n"
    with connect(server) as connection:
        connection.sendall(head)
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            connection.sendall(b"x" * (200 * MIB))
