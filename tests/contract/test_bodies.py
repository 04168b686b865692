"""Size and type of a body."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.contract.client import Client, connection, new_id, user
from tests.simulator import Simulator

MEBIBYTE = 1024 * 1024
ROUTES = {
    "/chat/gpt": {"detail"},
    "/chat/completions": {"error", "details"},
    "/conversation/message": {"error", "details"},
    "/chat/conversations": {"error", "details"},
    "/chat/messages/msg-1/edit": {"detail"},
}


@pytest.mark.parametrize("stored", [False, True])
def test_it_takes_the_largest_legal_body(client: Client, simulator: Simulator, stored: bool) -> None:
    simulator.script(text="ok")
    fields = {"conversation_id": new_id()} if stored else {}
    body = json.dumps({"messages": [user("\U0001f642" * 24_000)] * 50, **fields}).encode()
    assert 14_000_000 < len(body) < 16 * MEBIBYTE
    assert client.raw("/chat/gpt", body).status_code == 200
    assert len(simulator.last("openai")["body"]["messages"][-1]["content"]) == 24_000


def test_it_takes_a_body_of_16_mebibytes(client: Client) -> None:
    body = b'{"message": "Hello"}'.ljust(16 * MEBIBYTE)
    assert client.raw("/chat/completions", body).status_code == 200


@pytest.mark.parametrize("path", ROUTES)
def test_it_refuses_a_larger_one_that_is_announced(client: Client, path: str) -> None:
    answer = client.raw(path, b" " * (16 * MEBIBYTE + 1))
    assert (answer.status_code, set(answer.json())) == (413, ROUTES[path])


def too_much() -> Iterator[bytes]:
    for _ in range(17):
        yield b" " * MEBIBYTE


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("media_type", ["application/json", "text/plain"])
def test_it_refuses_a_larger_one_that_comes_in_chunks(client: Client, path: str, media_type: str) -> None:
    answer = client.http.post(path, content=too_much(), headers={"Content-Type": media_type})
    assert (answer.status_code, set(answer.json())) == (413, ROUTES[path])


def test_it_refuses_an_announced_one_before_it_comes(client: Client) -> None:
    with connection(client.url) as opened:
        opened.sendall(
            b"POST /chat/gpt HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 999999999999\r\n\r\n"
        )
        assert opened.recv(65536).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/json",
        "x",
        "image/png",
    ],
)
@pytest.mark.parametrize("path", ROUTES)
def test_it_refuses_another_type(client: Client, path: str, kind: str) -> None:
    answer = client.raw(path, b'{"message": "Hello"}', kind)
    assert (answer.status_code, set(answer.json())) == (415, ROUTES[path])


@pytest.mark.parametrize(
    "kind",
    ["application/json", "Application/JSON", "application/json; charset=utf-8", "application/json;charset=UTF-8"],
)
def test_it_takes_json_however_it_is_spelled(client: Client, kind: str) -> None:
    assert client.raw("/chat/completions", b'{"message": "Hello"}', kind).status_code == 200


def test_it_refuses_a_body_that_names_no_type(client: Client) -> None:
    answer = client.http.post("/chat/completions", content=b'{"message": "Hello"}')
    assert answer.status_code == 415


@pytest.mark.parametrize("path", ["/chat/gpt", "/chat/completions"])
def test_it_takes_no_body_and_no_type_for_an_empty_object(client: Client, path: str) -> None:
    answer = client.http.post(path)
    assert answer.status_code == 400
    assert "required" in answer.text


def test_it_answers_a_client_that_sends_byte_by_byte(client: Client) -> None:
    body = b'{"message": "Hello"}'
    with connection(client.url) as opened:
        opened.sendall(
            b"POST /chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
        )
        for byte in body:
            opened.sendall(bytes([byte]))
        assert opened.recv(65536).startswith(b"HTTP/1.1 200")


def test_it_asks_for_a_body_that_waits_to_be_asked(client: Client) -> None:
    body = b'{"message": "Hello"}'
    with connection(client.url) as opened:
        opened.sendall(
            b"POST /chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Expect: 100-continue\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
        )
        assert opened.recv(65536).startswith(b"HTTP/1.1 100")
        opened.sendall(body)
        assert opened.recv(65536).startswith(b"HTTP/1.1 200")
