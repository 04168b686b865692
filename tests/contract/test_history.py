"""`GET /chat/history/{conversationId}`: its shape and its pages."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest

from tests.contract.client import Client, assistant, new_id, user
from tests.simulator import Simulator


@pytest.fixture
def conversation(client: Client) -> str:
    """Seven messages and a reply."""
    conversation = new_id()
    brought = [(user, assistant)[n % 2](f"message {n}") for n in range(7)]
    client.events(*brought, conversation_id=conversation)
    return conversation


def test_it_has_the_documented_keys_and_no_others(client: Client, conversation: str) -> None:
    assert all(list(entry) == ["id", "content", "role", "timestamp"] for entry in client.history(conversation))


def test_it_comes_oldest_first(client: Client, conversation: str) -> None:
    assert client.texts(conversation)[:7] == [f"message {n}" for n in range(7)]


def test_it_tells_who_spoke(client: Client, conversation: str) -> None:
    assert [entry["role"] for entry in client.history(conversation)] == ["user", "assistant"] * 4


def test_it_tells_the_time_in_utc(client: Client, conversation: str) -> None:
    times = [entry["timestamp"] for entry in client.history(conversation)]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time) for time in times)
    parsed = [datetime.fromisoformat(time) for time in times]
    assert parsed == sorted(parsed)


def test_it_has_ids_in_the_documented_shape(client: Client, conversation: str) -> None:
    ids = [entry["id"] for entry in client.history(conversation)]
    assert all(re.fullmatch(r"msg-\d{38,}", each) for each in ids)
    assert len(set(ids)) == len(ids)


def test_it_is_the_same_at_both_mounts(mounted: Client, conversation: str) -> None:
    assert len(mounted.history(conversation)) == 8


@pytest.mark.parametrize("missing", ["session-1704459600000", "unknown", "session-" + "9" * 38])
def test_it_is_404_for_a_conversation_that_does_not_exist(mounted: Client, missing: str) -> None:
    answer = mounted.get(f"/chat/history/{missing}")
    assert answer.status_code == 404
    assert set(answer.json()) == {"error", "details"}


@pytest.mark.parametrize("odd", ["a%2Fb", "%00", "é", "a%20b", "-x", "x" * 129, "..", "%2e%2e%2f"])
def test_it_is_404_for_an_id_that_could_not_exist(client: Client, odd: str) -> None:
    answer = client.get(f"/chat/history/{odd}")
    assert answer.status_code == 404
    assert set(answer.json()) == {"error", "details"}


def test_it_gives_the_newest_page(client: Client, conversation: str) -> None:
    assert client.history(conversation, limit=3) == client.history(conversation)[-3:]


def test_it_gives_the_page_before_a_message(client: Client, conversation: str) -> None:
    whole = client.history(conversation)
    assert client.history(conversation, limit=3, before=whole[5]["id"]) == whole[2:5]


def test_it_gives_up_to_fifty_before_a_message(client: Client, conversation: str) -> None:
    whole = client.history(conversation)
    assert client.history(conversation, before=whole[-1]["id"]) == whole[:-1]


def test_it_gives_less_than_asked_for_on_the_last_page_only(client: Client, conversation: str) -> None:
    whole = client.history(conversation)
    pages: list[list[dict[str, Any]]] = []
    before: dict[str, str] = {}
    while not pages or len(pages[-1]) == 3:
        pages.append(client.history(conversation, limit=3, **before))
        before = {"before": pages[-1][0]["id"]}
    assert [entry for page in reversed(pages) for entry in page] == whole


def test_it_gives_nothing_before_the_first(client: Client, conversation: str) -> None:
    first = client.history(conversation)[0]["id"]
    assert client.history(conversation, before=first) == []


@pytest.mark.parametrize("limit", ["0", "201", "-1", "1.5", "x", "", "9" * 30, "٣", "+1", " 1"])
def test_it_refuses_a_limit_out_of_bounds(client: Client, conversation: str, limit: str) -> None:
    answer = client.get(f"/chat/history/{conversation}", params={"limit": limit})
    assert (answer.status_code, set(answer.json())) == (400, {"error", "details"})
    assert "limit" in answer.json()["details"]


@pytest.mark.parametrize("limit", ["1", "200"])
def test_it_takes_a_limit_at_its_bounds(client: Client, conversation: str, limit: str) -> None:
    assert client.get(f"/chat/history/{conversation}", params={"limit": limit}).status_code == 200


@pytest.mark.parametrize("before", ["", "msg-1", "x y", "\x00"])
def test_it_refuses_a_before_that_is_no_message_of_the_conversation(
    client: Client, conversation: str, before: str
) -> None:
    assert client.get(f"/chat/history/{conversation}", params={"before": before}).status_code == 400


def test_it_refuses_a_before_of_another_conversation(client: Client, conversation: str) -> None:
    other = client.complete("Hello").json()["messageId"]
    assert client.get(f"/chat/history/{conversation}", params={"before": other}).status_code == 400


def test_it_answers_404_first_where_the_conversation_does_not_exist(client: Client) -> None:
    assert client.get("/chat/history/unknown", params={"before": "msg-1"}).status_code == 404


def test_it_shows_a_reply_from_its_beginning(client: Client, simulator: Simulator) -> None:
    conversation = new_id()
    simulator.script("openai", chunks=["Hello", " there"], fault="stall", after=1)
    with client.stream("Hi", conversation_id=conversation) as stream:
        stream.until_text(5)
        entry = client.history(conversation)[-1]
        client.cancel(stream.message_id)
    assert entry["id"] == stream.message_id
    assert (entry["status"], entry["content"], entry["position"]) == ("streaming", "Hello", 5)
    assert (entry["model"], entry["error"]) == ("gpt-4o", None)
    assert set(entry) == {"id", "content", "role", "timestamp", "status", "position", "model", "error"}


def test_it_tells_how_a_reply_failed(client: Client, simulator: Simulator) -> None:
    conversation = new_id()
    simulator.script("openai", chunks=["Hello", " there"], fault="drop", after=1)
    client.chat("Hi", conversation_id=conversation)
    entry = client.history(conversation)[-1]
    assert (entry["status"], entry["content"], entry["position"], entry["model"]) == ("failed", "Hello", 5, "gpt-4o")
    assert entry["error"]


def test_it_keeps_a_question_that_was_never_answered(client: Client, simulator: Simulator) -> None:
    conversation = new_id()
    simulator.script(status=500)
    client.chat("Hi", conversation_id=conversation)
    assert client.history(conversation) == [
        {"id": client.history(conversation)[0]["id"], "content": "Hi", "role": "user"}
        | {"timestamp": client.history(conversation)[0]["timestamp"]}
    ]


def test_it_names_the_alternatives(client: Client) -> None:
    conversation = new_id()
    first = client.complete("Hi", conversation_id=conversation).json()["messageId"]
    second = client.post(f"/chat/messages/{first}/regenerate").headers["X-Message-ID"]
    entry = client.history(conversation)[-1]
    assert (entry["id"], entry["siblings"]) == (second, [first, second])
    assert "siblings" not in client.history(conversation)[0]
