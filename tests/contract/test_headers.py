"""The headers of every answer."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.contract.client import Client, new_id

GOOD_IDS = ["a", "A-1_b.c", "x" * 128, "00000000-0000-4000-8000-000000000000"]
BAD_IDS = ["", "x" * 129, "with space", "semi;colon", "<script>", "a,b"]


@pytest.mark.parametrize("given", GOOD_IDS)
def test_it_keeps_the_request_id_of_the_client(mounted: Client, given: str) -> None:
    assert mounted.chat("Hello", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", BAD_IDS)
def test_it_makes_a_request_id_where_the_given_one_is_none(client: Client, given: str) -> None:
    made = client.get("/health", headers={"X-Request-ID": given}).headers["X-Request-ID"]
    assert made != given
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,128}", made)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/health"),
        ("GET", "/health/gpt"),
        ("GET", "/health/unknown"),
        ("POST", "/chat/gpt"),
        ("POST", "/chat/completions"),
        ("GET", "/chat/completions"),
        ("GET", "/chat/history/unknown-one"),
        ("GET", "/nothing/here"),
        ("GET", "/livez"),
        ("GET", "/readyz"),
        ("OPTIONS", "/chat/gpt"),
        ("GET", "/admin/"),
    ],
)
def test_it_names_every_request(client: Client, method: str, path: str) -> None:
    assert client.http.request(method, path, headers={"X-Request-ID": "mine"}).headers.get_list("X-Request-ID") == [
        "mine"
    ]


def test_it_gives_each_request_an_id_of_its_own(client: Client) -> None:
    assert len({client.get("/health").headers["X-Request-ID"] for _ in range(5)}) == 5


@pytest.mark.parametrize("provider", ["gpt", "claude", "gemini"])
@pytest.mark.parametrize("stored", [False, True])
def test_it_streams_with_the_documented_headers(client: Client, provider: str, stored: bool) -> None:
    fields: dict[str, Any] = {"conversation_id": new_id()} if stored else {}
    headers = client.chat("Hello", provider=provider, **fields).headers
    assert headers["Content-Type"].split(";")[0] == "text/event-stream"
    assert headers["Cache-Control"] == "no-cache"
    assert headers["Connection"] == "keep-alive"
    assert headers["X-Accel-Buffering"] == "no"


def test_it_streams_in_utf_8_whatever_a_client_assumes(client: Client) -> None:
    kind = client.chat("Hello").headers["Content-Type"]
    assert kind in ("text/event-stream", "text/event-stream; charset=utf-8")


@pytest.mark.parametrize("path", ["/health", "/health/gpt", "/health/unknown", "/nothing"])
def test_it_answers_in_json(client: Client, path: str) -> None:
    assert client.get(path).headers["Content-Type"].split(";")[0] == "application/json"


def test_it_names_conversation_and_reply_of_a_stored_stream(client: Client) -> None:
    conversation = new_id()
    headers = client.chat("Hello", conversation_id=conversation).headers
    assert headers["X-Conversation-ID"] == conversation
    assert headers["X-Message-ID"] == client.history(conversation)[-1]["id"]


def test_it_names_conversation_and_reply_of_a_completion(client: Client) -> None:
    answer = client.complete("Hello")
    assert answer.headers["X-Conversation-ID"] == answer.json()["conversation_id"]
    assert answer.headers["X-Message-ID"] == answer.json()["messageId"]


def test_it_names_neither_where_nothing_is_stored(client: Client) -> None:
    headers = client.chat("Hello").headers
    assert "X-Conversation-ID" not in headers
    assert "X-Message-ID" not in headers


def test_it_tells_browsers_to_sniff_no_types(client: Client) -> None:
    assert client.chat("Hello").headers["X-Content-Type-Options"] == "nosniff"


def test_it_keeps_a_connection_open_for_the_next_request(client: Client) -> None:
    client.chat("Hello")
    pool = client.http._transport._pool  # type: ignore[attr-defined]
    first = list(pool.connections)
    client.chat("Hello again")
    assert list(pool.connections) == first


def test_it_refuses_a_header_block_beyond_64_kib(client: Client) -> None:
    answer = client.get("/health", headers={f"X-{number}": "x" * 1000 for number in range(80)})
    assert answer.status_code in (431, 400)


def test_it_takes_a_header_block_below_64_kib(client: Client) -> None:
    answer = client.get("/health", headers={f"X-{number}": "x" * 1000 for number in range(50)})
    assert answer.status_code == 200
