"""The frontends that the documents were written for, call by call."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.contract import events
from tests.contract.client import Client, assistant, new_id, user
from tests.simulator import Simulator

REACT = {"Origin": "http://localhost:5000", "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/130"}
NATIVE = ["okhttp/4.9.2", "Dialogix/1 CFNetwork/1490.0.4 Darwin/23.2.0", "Expo/1017 CFNetwork/1390", "Expo"]
BROWSERS = ["Mozilla/5.0 (iPhone) AppleWebKit/605 Safari/604", "python-httpx/0.28", "curl/8.5.0", ""]


@pytest.fixture
def react(client: Client) -> Client:
    """The web frontend: on another origin, under /api/v1."""
    return Client(client.url, prefix="/api/v1", headers=REACT)


def test_the_web_frontend_sees_that_the_server_is_there(react: Client) -> None:
    answer = react.get("/health")
    assert answer.json()["status"] == "ok"
    assert answer.headers["Access-Control-Allow-Origin"] == REACT["Origin"]


def test_it_creates_a_conversation_with_a_json_type_and_no_body(react: Client) -> None:
    answer = react.http.post("/chat/conversations", headers={"Content-Type": "application/json"})
    assert answer.status_code == 200
    assert answer.json()["conversation_id"].startswith("session-")


def test_it_mints_its_own_conversation_and_goes_on_with_it(react: Client) -> None:
    mine = f"session-{time.time_ns() // 1_000_000}"
    first = react.complete("Hello, how are you?", conversation_id=mine).json()
    assert first["message"]
    assert first["conversation_id"] == mine
    react.complete("And now?", conversation_id=mine)
    assert [entry["role"] for entry in react.history(mine)] == ["user", "assistant"] * 2


def test_its_later_revision_posts_messages(react: Client) -> None:
    mine = new_id()
    body = {"message": "Hello", "conversation_id": mine, "timestamp": "2025-01-05T10:00:00.000Z"}
    answer = react.post("/conversation/message", body)
    assert set(answer.json()) == {"message", "messageId", "conversation_id"}
    assert react.texts(mine)[0] == "Hello"


@pytest.mark.parametrize("agent", NATIVE)
@pytest.mark.parametrize("stored", [False, True])
def test_a_native_client_gets_a_comment_before_any_text(client: Client, agent: str, stored: bool) -> None:
    fields = {"conversation_id": new_id()} if stored else {}
    seen = client.events("Hi", headers={"User-Agent": agent}, **fields)
    assert seen[0].comment == "ok"
    assert not [event for event in seen[1:] if event.comment is not None]


def test_its_text_comes_only_after_a_moment(client_of: Callable[..., Client], simulator: Simulator) -> None:
    client = client_of(NATIVE_CLIENT_DELAY="1", NATIVE_CLIENTS="MyApp")
    simulator.script("openai", chunks=["Hello", " there"])
    body, headers = {"messages": [user("Hi")]}, {"User-Agent": "MyApp/7"}
    with client.http.stream("POST", "/chat/gpt", json=body, headers=headers) as response:
        pieces = [(time.monotonic(), piece) for piece in response.iter_raw()]
    assert pieces[0][1] == b": ok\n\n"
    assert pieces[1][0] - pieces[0][0] > 0.5
    assert events.text_of(events.read(b"".join(piece for _, piece in pieces).decode())) == "Hello there"


def test_a_native_client_that_rejoins_gets_it_too(client: Client) -> None:
    reply = client.complete("Hi").json()["messageId"]
    seen = client.rejoined(reply, user_agent=NATIVE[0])
    assert seen[0].comment == "ok"


@pytest.mark.parametrize("agent", BROWSERS)
def test_others_get_text_at_once(client: Client, agent: str) -> None:
    seen = events.read(client.chat("Hi", headers={"User-Agent": agent}).text)
    assert not [event for event in seen if event.comment is not None]


def test_the_mobile_client_sends_its_whole_list_each_time(client: Client, simulator: Simulator) -> None:
    headers = {"Accept": "text/event-stream", "Cache-Control": "no-cache", "Connection": "keep-alive"}
    said = [user("One")]
    for text in ("Two", "Three"):
        reply = events.text_of(client.events(*said, headers=headers))
        said += [{**assistant(reply), "model": "gpt-4o", "timestamp": 1234567890}, user(text)]
    client.events(*said, headers=headers)
    sent = [message["role"] for message in simulator.last("openai")["body"]["messages"]]
    assert sent == ["system", "user", "assistant", "user", "assistant", "user"]


def test_a_browsers_event_source_reconnects_where_it_was(client: Client) -> None:
    conversation = new_id()
    client.events("Hi", conversation_id=conversation)
    reply = client.history(conversation)[1]
    seen = client.rejoined(reply["id"], 3, last_event_id=str(len(reply["content"]) - 2))
    assert events.text_of(seen) == reply["content"][-2:]


def test_a_browsers_event_source_stops_at_the_end(client: Client) -> None:
    reply = client.complete("Hi").json()
    done = str(len(reply["message"]) + 1)
    answer = client.get(f"/chat/messages/{reply['messageId']}/stream", headers={"Last-Event-ID": done})
    assert (answer.status_code, answer.content) == (204, b"")
