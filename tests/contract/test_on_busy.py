"""`on_busy`: what a reply under way in the same conversation means for the next turn."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.contract import events
from tests.contract.client import Client, Stream, new_id, wait_for
from tests.simulator import Simulator

SLOW: dict[str, Any] = {"chunks": 24, "delay": 0.05}


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(6) as pool:
        yield pool


@pytest.fixture
def conversation() -> str:
    return new_id()


@pytest.fixture
def running(client: Client, simulator: Simulator, conversation: str) -> Iterator[Stream]:
    """A reply under way; those after it come at once."""
    simulator.script("openai", **SLOW, times=1)
    with client.stream("first", conversation_id=conversation) as stream:
        stream.until_text()
        yield stream


def questions(client: Client, conversation: str) -> list[str]:
    return [entry["content"] for entry in client.history(conversation) if entry["role"] == "user"]


def test_it_waits_by_default(client: Client, running: Stream, conversation: str) -> None:
    answer = client.complete("second", conversation_id=conversation)
    assert answer.status_code == 200
    assert client.message(running.message_id)["status"] == "complete"
    assert questions(client, conversation) == ["first", "second"]


def test_a_waiting_turn_answers_after_the_whole_reply_before_it(
    client: Client, simulator: Simulator, running: Stream, conversation: str
) -> None:
    client.complete("second", conversation_id=conversation)
    sent = simulator.last("openai")["body"]["messages"]
    assert [message["role"] for message in sent] == ["system", "user", "assistant", "user"]
    assert sent[2]["content"] == client.message(running.message_id)["content"]


def test_first_come_first_served(client: Client, running: Stream, conversation: str, pool: ThreadPoolExecutor) -> None:
    answers: list[Future[httpx.Response]] = []
    for text in ("second", "third", "fourth"):
        answers.append(pool.submit(client.complete, text, conversation_id=conversation))
        wait_for(lambda text=text: text in questions(client, conversation))  # type: ignore[misc]
    assert [answer.result().status_code for answer in answers] == [200, 200, 200]
    assert client.texts(conversation)[::2] == ["first", "second", "third", "fourth"]


def test_a_waiting_turn_shows_as_streaming_at_position_0(
    client: Client, running: Stream, conversation: str, pool: ThreadPoolExecutor
) -> None:
    waiting = pool.submit(client.complete, "second", conversation_id=conversation)
    entry = wait_for(lambda: next(iter(client.history(conversation)[3:]), None))
    assert (entry["role"], entry["content"], entry["status"], entry["position"]) == ("assistant", "", "streaming", 0)
    waiting.result()


def test_a_waiting_turn_can_be_cancelled(
    client: Client, simulator: Simulator, running: Stream, conversation: str, pool: ThreadPoolExecutor
) -> None:
    waiting = pool.submit(client.complete, "second", conversation_id=conversation)
    entry = wait_for(lambda: next(iter(client.history(conversation)[3:]), None))
    assert client.cancel(entry["id"]).json()["status"] == "cancelled"
    assert waiting.result().status_code == 409
    assert running.rest()[-1].data == events.DONE
    assert len(simulator.chats()) == 1


def test_a_waiting_turn_can_be_rejoined(
    client: Client, simulator: Simulator, running: Stream, conversation: str, pool: ThreadPoolExecutor
) -> None:
    simulator.script("openai", text="second reply")
    waiting = pool.submit(client.complete, "second", conversation_id=conversation)
    entry = wait_for(lambda: next(iter(client.history(conversation)[3:]), None))
    assert events.text_of(client.rejoined(entry["id"])) == "second reply"
    waiting.result()


def test_it_rejects_where_it_is_told_to(client: Client, running: Stream, conversation: str) -> None:
    answer = client.complete("second", conversation_id=conversation, on_busy="reject")
    assert (answer.status_code, answer.json()["error"]) == (409, "Conflict")
    assert questions(client, conversation) == ["first"]


def test_it_rejects_streams_in_their_shape(client: Client, running: Stream, conversation: str) -> None:
    answer = client.chat("second", conversation_id=conversation, on_busy="reject")
    assert (answer.status_code, list(answer.json())) == (409, ["detail"])


def test_it_rejects_nothing_where_nobody_is_busy(client: Client, conversation: str) -> None:
    assert client.complete("first", conversation_id=conversation, on_busy="reject").status_code == 200


def test_it_interrupts_where_it_is_told_to(client: Client, running: Stream, conversation: str) -> None:
    answer = client.complete("second", conversation_id=conversation, on_busy="interrupt")
    assert answer.status_code == 200
    interrupted = client.message(running.message_id)
    assert interrupted["status"] == "cancelled"
    assert interrupted["content"]
    assert questions(client, conversation) == ["first", "second"]


def test_the_interrupted_stream_ends_with_done_and_no_error(client: Client, running: Stream, conversation: str) -> None:
    client.complete("second", conversation_id=conversation, on_busy="interrupt")
    ended = running.rest()
    assert ended[-1].data == events.DONE
    assert events.errors(ended) == []
    assert events.text_of(ended) == client.message(running.message_id)["content"]


def test_the_interrupted_vendors_stream_is_closed(
    client: Client, simulator: Simulator, running: Stream, conversation: str
) -> None:
    client.complete("second", conversation_id=conversation, on_busy="interrupt")
    assert [chat["state"] for chat in simulator.chats()] == ["client_closed", "finished"]


def test_the_interrupted_text_is_sent_as_context(
    client: Client, simulator: Simulator, running: Stream, conversation: str
) -> None:
    client.complete("second", conversation_id=conversation, on_busy="interrupt")
    partial = client.message(running.message_id)["content"]
    assert [message["content"] for message in simulator.last("openai")["body"]["messages"]][1:] == [
        "first",
        partial,
        "second",
    ]


def test_it_interrupts_also_those_that_wait(
    client: Client, running: Stream, conversation: str, pool: ThreadPoolExecutor
) -> None:
    waiting = pool.submit(client.complete, "second", conversation_id=conversation)
    wait_for(lambda: "second" in questions(client, conversation))
    answer = client.complete("third", conversation_id=conversation, on_busy="interrupt")
    assert answer.status_code == 200
    assert waiting.result().status_code == 409
    assert questions(client, conversation) == ["first", "second", "third"]


def test_regenerate_and_edit_judge_it_too(client: Client, running: Stream, conversation: str) -> None:
    question = client.history(conversation)[0]["id"]
    edited = client.post(f"/chat/messages/{question}/edit", {"content": "x", "on_busy": "reject"})
    again = client.post(f"/chat/messages/{running.message_id}/regenerate", {"on_busy": "reject"})
    assert (edited.status_code, again.status_code) == (409, 409)


def test_a_parent_under_way_is_waited_for(
    client: Client, simulator: Simulator, running: Stream, conversation: str
) -> None:
    answer = client.complete("second", conversation_id=conversation, parent_id=running.message_id)
    assert answer.status_code == 200
    assert client.message(running.message_id)["status"] == "complete"
    assert simulator.last("openai")["body"]["messages"][2]["content"] == client.message(running.message_id)["content"]


def test_other_conversations_do_not_wait(client: Client, running: Stream) -> None:
    assert client.complete("Hello", conversation_id=new_id()).status_code == 200
    assert client.message(running.message_id)["status"] == "streaming"


def test_a_waiting_turn_fails_when_its_time_comes(
    client: Client, simulator: Simulator, running: Stream, conversation: str
) -> None:
    simulator.script(status=500)
    answer = client.chat("second", conversation_id=conversation)
    assert answer.status_code == 500
    assert questions(client, conversation) == ["first", "second"]
