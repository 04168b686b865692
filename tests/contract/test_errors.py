"""Every way of saying no: the shape of the route, never HTML, and the order in which things are judged."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql

from tests.contract.client import Client, connection, new_id
from tests.services.server import LiveServer
from tests.simulator import Simulator

DETAIL = [
    "/chat/gpt",
    "/chat/unknown",
    "/health/gpt",
    "/chat/messages/msg-1/stream",
    "/chat/messages/msg-1/regenerate",
    "/chat/messages/msg-1/edit",
]
PAIR = [
    "/health",
    "/chat/completions",
    "/chat/conversations",
    "/conversation/message",
    "/chat/history/session-1",
    "/chat/messages/msg-1",
    "/chat/messages/msg-1/cancel",
]
SHAPES = [*((path, {"detail"}) for path in DETAIL), *((path, {"error", "details"}) for path in PAIR)]
GIVEN_AWAY = ("Traceback", 'File "', "<html", "<!DOCTYPE", ".py")


def judge(answer: httpx.Response, status: int, keys: set[str]) -> dict[str, Any]:
    assert answer.status_code == status, answer.text[:300]
    assert answer.headers["Content-Type"].split(";")[0] == "application/json"
    found: dict[str, Any] = answer.json()
    assert set(found) == keys
    assert all(isinstance(value, str) and value for value in found.values())
    assert not any(word in answer.text for word in GIVEN_AWAY)
    return found


@pytest.mark.parametrize(("path", "keys"), SHAPES)
@pytest.mark.parametrize("slash", ["", "/"])
def test_it_answers_405_with_the_methods_that_are(mounted: Client, path: str, keys: set[str], slash: str) -> None:
    answer = mounted.http.put(path + slash)
    judge(answer, 405, keys)
    assert {"OPTIONS"} < {name.strip() for name in answer.headers["Allow"].split(",")}


@pytest.mark.parametrize("method", ["DELETE", "PATCH", "TRACE", "PROPFIND"])
def test_it_answers_405_to_every_other_method(client: Client, method: str) -> None:
    judge(client.http.request(method, "/chat/gpt"), 405, {"detail"})


@pytest.mark.parametrize("path", ["/chat/completions", "/chat/gpt", "/conversation/message"])
def test_it_answers_405_to_a_get_of_what_is_posted(mounted: Client, path: str) -> None:
    answer = mounted.get(path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST, OPTIONS")


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/chat",
        "/chat/",
        "/chat/gpt/more",
        "/health/gpt/more",
        "/chat/completions/x",
        "/api/v1/",
        "/api/v2/health",
        "//health",
        "/health//",
        "/%00",
        "/favicon.ico",
        "/chat/messages/msg-1/nothing",
    ],
)
def test_it_answers_404_in_json(client: Client, path: str, method: str) -> None:
    answer = httpx.request(method, client.url + path, trust_env=False)
    assert answer.status_code == 404, answer.text[:200]
    assert answer.headers["Content-Type"].split(";")[0] == "application/json"
    assert set(answer.json()) in ({"error", "details"}, {"detail"})


@pytest.mark.parametrize(
    ("method", "path", "keys"),
    [
        ("GET", "/chat/messages/msg-1", {"error", "details"}),
        ("GET", "/chat/messages/msg-1/stream", {"detail"}),
        ("POST", "/chat/messages/msg-1/cancel", {"error", "details"}),
        ("POST", "/chat/messages/msg-1/regenerate", {"detail"}),
        ("GET", "/chat/history/session-1", {"error", "details"}),
    ],
)
def test_it_answers_404_for_a_thing_that_does_not_exist(
    mounted: Client, method: str, path: str, keys: set[str]
) -> None:
    judge(mounted.http.request(method, path), 404, keys)


def test_it_answers_404_to_the_edit_of_a_message_that_does_not_exist(mounted: Client) -> None:
    judge(mounted.post("/chat/messages/msg-1/edit", {"content": "Hello"}), 404, {"detail"})


@pytest.mark.parametrize(
    "request_line",
    [b"nonsense\r\n\r\n", b"GET\r\n\r\n", b"GET /health HTTP/9.9\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01"],
)
def test_it_answers_no_html_to_what_is_no_http(client: Client, request_line: bytes) -> None:
    with connection(client.url) as opened:
        opened.sendall(request_line)
        answer = opened.recv(65536)
    assert answer.startswith(b"HTTP/1.1 4")
    assert b"application/json" in answer
    assert b"<" not in answer


@pytest.fixture
def broken(simulator: Simulator) -> Iterator[tuple[Client, str, str]]:
    """A server whose database holds what no code of ours wrote; with a conversation and its reply."""
    server = LiveServer(**simulator.env())
    client = Client(server.url)
    answered = client.complete("Hello").json()
    _break(server.database_url)
    yield client, answered["conversation_id"], answered["messageId"]
    server.close()


def _break(url: str) -> None:
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as lite:
            lite.execute("UPDATE conversations_message SET created_at = 'nonsense', status = X'00ff'")
        return
    with psycopg.connect(url, autocommit=True) as opened:
        opened.execute("ALTER TABLE conversations_message DROP COLUMN created_at CASCADE")


def test_it_answers_in_json_when_something_unexpected_happens(broken: tuple[Client, str, str]) -> None:
    client, conversation, message = broken
    keys = {"error", "details"}
    found = [
        judge(client.get(f"/chat/messages/{message}"), 500, keys),
        judge(client.get(f"/chat/history/{conversation}", params={"limit": "5"}), 500, keys),
    ]
    assert {each["error"] for each in found} == {"Internal server error"}
    assert {each["details"] for each in found} == {"Failed to process request."}


def test_it_goes_on_with_what_can_be_done(broken: tuple[Client, str, str]) -> None:
    assert broken[0].chat("Hello").status_code == 200


def test_it_answers_in_json_when_the_database_has_no_tables(simulator: Simulator) -> None:
    server = LiveServer(**simulator.env())
    client = Client(server.url)
    _empty(server.database_url)
    try:
        for answer, keys in (
            (client.complete("Hello"), {"error", "details"}),
            (client.chat("Hello", conversation_id=new_id()), {"detail"}),
            (client.post("/chat/conversations"), {"error", "details"}),
            (client.get("/chat/messages/msg-1/stream"), {"detail"}),
        ):
            assert "conversations_" not in str(judge(answer, answer.status_code, keys))
            assert answer.status_code in (500, 503)
    finally:
        server.close()


def _empty(url: str) -> None:
    tables = ("conversations_conversation", "conversations_message")
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as lite:
            lite.executescript("PRAGMA foreign_keys=off;" + "".join(f"DROP TABLE {table};" for table in tables))
        return
    with psycopg.connect(url, autocommit=True) as opened:
        for table in tables:
            opened.execute(sql.SQL("DROP TABLE {} CASCADE").format(sql.Identifier(table)))


# -- the order of judgement --------------------------------------------------------------------------------------------

LARGE = b" " * (16 * 1024 * 1024 + 1)


def test_the_route_comes_before_the_caller(required: Client) -> None:
    assert required.post("/nothing/here", {}).status_code == 404
    assert required.get("/chat/completions").status_code == 405


def test_the_route_comes_before_the_size(client: Client) -> None:
    assert client.raw("/nothing/here", LARGE).status_code == 404
    assert client.http.put("/chat/completions", content=LARGE).status_code == 405


def test_the_caller_comes_before_the_size(required: Client) -> None:
    assert required.raw("/chat/completions", LARGE).status_code == 401


def test_the_caller_comes_before_type_and_content(required: Client) -> None:
    assert required.raw("/chat/gpt", b"x", "text/plain").status_code == 401
    assert required.raw("/chat/gpt", b"x").status_code == 401


def test_the_caller_comes_before_the_thing(required: Client) -> None:
    assert required.get("/chat/history/unknown").status_code == 401


def test_the_size_comes_before_the_type(client: Client) -> None:
    assert client.raw("/chat/completions", LARGE, "text/plain").status_code == 413


def test_the_type_comes_before_the_content(client: Client) -> None:
    assert client.raw("/chat/completions", b"x", "text/plain").status_code == 415


def test_the_content_comes_before_the_thing(client: Client) -> None:
    assert client.post("/chat/messages/msg-1/edit", {"content": ""}).status_code == 400
    assert client.post("/chat/messages/msg-1/regenerate", {"on_busy": "x"}).status_code == 400
    assert client.get("/chat/messages/msg-1/stream", params={"after": "x"}).status_code == 400


def test_the_thing_comes_before_the_key(client: Client) -> None:
    key = {"Idempotency-Key": new_id()}
    assert client.http.post("/chat/completions", json={"message": "Hello"}, headers=key).status_code == 200
    answer = client.http.post("/chat/messages/msg-1/edit", json={"content": "Hello"}, headers=key)
    assert answer.status_code == 404


def test_the_key_comes_before_the_limit(limited: Client) -> None:
    conversation, key = new_id(), {"Idempotency-Key": "one"}
    assert limited.complete("Hello", conversation_id=conversation, headers=key).status_code == 200
    assert limited.complete("Hello", conversation_id=new_id()).status_code == 429
    assert limited.complete("Another", conversation_id=conversation, headers=key).status_code == 422
    assert limited.complete("Hello", conversation_id=conversation, headers=key).status_code == 200


def test_the_thing_comes_before_the_limit(limited: Client) -> None:
    limited.chat("Hello")
    assert limited.chat("Hello").status_code == 429
    assert limited.post("/chat/messages/msg-1/regenerate").status_code == 404
    assert limited.complete("Hello", conversation_id=new_id(), parent_id="msg-1").status_code == 400


def test_the_limit_comes_before_conflicts(limited: Client, simulator: Simulator) -> None:
    conversation = new_id()
    simulator.script(chunks=["a", "b"], fault="stall", after=1)
    with limited.stream("Hello", conversation_id=conversation) as stream:
        stream.until_text()
        assert limited.chat("More", conversation_id=conversation, on_busy="reject").status_code == 429
        limited.cancel(stream.message_id)


def test_content_comes_before_the_limit(limited: Client) -> None:
    limited.chat("Hello")
    assert limited.chat("").status_code == 400
    assert limited.chat("Hello", provider="unknown").status_code == 400


@pytest.fixture
def required(client_of: Callable[..., Client]) -> Client:
    return client_of(AUTH_MODE="required")


@pytest.fixture
def limited(client_of: Callable[..., Client]) -> Client:
    """One request a day for each of its clients, and every test is another one."""
    number = next(_clients)
    return client_of(RATE_LIMIT="1/d", TRUSTED_PROXIES="127.0.0.1").as_(**{"X-Forwarded-For": f"198.51.100.{number}"})


_clients = iter(range(1, 255))


def test_it_says_what_a_person_can_act_on(client: Client) -> None:
    found = client.post("/chat/completions", {"message": "Hello", "provider": "gpd"}).json()["details"]
    assert "gpt" in found
    assert "claude" in found
