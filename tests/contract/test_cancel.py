"""`POST /chat/messages/{id}/cancel`: the vendor's stream is closed, the text is kept."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.contract import events
from tests.contract.client import Client, Stream, new_id, wait_for
from tests.simulator import Simulator

PROVIDERS = {"gpt": "openai", "claude": "anthropic", "gemini": "gemini"}


@pytest.fixture
def running(client: Client, simulator: Simulator) -> Iterator[Stream]:
    simulator.script("openai", chunks=["Hello ", "there"], fault="stall", after=1)
    with client.stream("Hi", conversation_id=new_id()) as stream:
        stream.until_text()
        yield stream


def test_it_answers_with_the_message_as_it_now_stands(client: Client, running: Stream) -> None:
    answer = client.cancel(running.message_id)
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["content"]) == ("cancelled", "Hello ")
    assert answer.json() == client.message(running.message_id)


def test_it_is_the_same_at_both_mounts(mounted: Client, running: Stream) -> None:
    assert mounted.cancel(running.message_id).json()["status"] == "cancelled"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_it_answers_once_the_vendors_stream_is_closed(client: Client, simulator: Simulator, provider: str) -> None:
    simulator.script(PROVIDERS[provider], chunks=200, delay=0.02)
    with client.stream("Hi", provider=provider, conversation_id=new_id()) as stream:
        stream.until_text()
        client.cancel(stream.message_id)
        simulator.wait(PROVIDERS[provider], seconds=0.5)


def test_every_viewer_gets_the_rest_and_done(client: Client, running: Stream) -> None:
    with client.rejoin(running.message_id) as other:
        other.until_text()
        client.cancel(running.message_id)
        for seen in (running.rest(), other.rest()):
            assert events.text_of(seen) == "Hello "
            assert seen[-1].data == events.DONE
            assert events.errors(seen) == []


def test_twice_is_the_same_as_once(client: Client, running: Stream) -> None:
    first = client.cancel(running.message_id)
    again = client.cancel(running.message_id)
    assert (again.status_code, again.json()) == (200, first.json())


def test_many_at_once_are_the_same_as_once(client: Client, running: Stream) -> None:
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: client.cancel(running.message_id), range(6)))
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["status"] for answer in answers} == {"cancelled"}


def test_it_changes_nothing_of_a_reply_that_has_ended(client: Client) -> None:
    reply = client.complete("Hi").json()["messageId"]
    before = client.message(reply)
    answer = client.cancel(reply)
    assert (answer.status_code, answer.json()) == (200, before)


def begun_reply(client: Client, conversation: str) -> str:
    def found() -> str | None:
        answer = client.get(f"/chat/history/{conversation}")
        return answer.json()["messages"][-1]["id"] if answer.status_code == 200 else None

    return wait_for(found)


@pytest.mark.parametrize("pace", [{"first_delay": 20, "text": "x"}, {"headers_delay": 20, "text": "x"}])
def test_before_the_first_token_a_stream_is_200_and_done(
    client: Client, simulator: Simulator, pace: dict[str, Any]
) -> None:
    simulator.script("openai", **pace)
    conversation = new_id()
    with ThreadPoolExecutor(1) as pool:
        stream = pool.submit(client.events, "Hi", conversation_id=conversation)
        reply = begun_reply(client, conversation)
        wait_for(simulator.chats)
        assert client.cancel(reply).json()["status"] == "cancelled"
        simulator.wait("openai", seconds=0.5)
        assert [(event.id, event.data) for event in stream.result()] == [(1, events.DONE)]
    assert client.texts(conversation) == ["Hi"]


def test_before_the_first_token_a_completion_is_409(client: Client, simulator: Simulator) -> None:
    simulator.script("openai", first_delay=20, text="x")
    conversation = new_id()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(client.complete, "Hi", conversation_id=conversation)
        client.cancel(begun_reply(client, conversation))
        assert answer.result().status_code == 409


def test_a_completion_with_text_is_200_with_it(client: Client, simulator: Simulator) -> None:
    simulator.script("openai", chunks=["Hello ", "there"], fault="stall", after=1)
    conversation = new_id()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(client.complete, "Hi", conversation_id=conversation)
        reply = begun_reply(client, conversation)
        wait_for(lambda: client.message(reply)["content"])
        client.cancel(reply)
        assert answer.result().status_code == 200
        assert answer.result().json()["message"] == "Hello "


def test_it_stops_a_vendor_that_never_pauses(client: Client, simulator: Simulator) -> None:
    simulator.script("openai", chunks=["word "] * 50, endless=True, burst=True)
    conversation = new_id()
    with client.stream("Hi", conversation_id=conversation) as stream:
        stream.until_text()
        with ThreadPoolExecutor(1) as pool:
            cancelling = pool.submit(Client(client.url).cancel, stream.message_id)
            text = events.text_of(stream.rest())
            assert cancelling.result().json()["status"] == "cancelled"
    simulator.wait("openai", seconds=0.5)
    assert client.message(stream.message_id)["content"] == text


def test_the_next_turn_has_the_partial_text_as_context(client: Client, simulator: Simulator, running: Stream) -> None:
    conversation = running.headers["X-Conversation-ID"]
    client.cancel(running.message_id)
    simulator.clear()
    client.complete("Go on", conversation_id=conversation)
    sent = [message["content"] for message in simulator.last("openai")["body"]["messages"]]
    assert sent[1:] == ["Hi", "Hello ", "Go on"]


def test_the_history_tells_of_it(client: Client, running: Stream) -> None:
    client.cancel(running.message_id)
    entry = client.history(running.headers["X-Conversation-ID"])[-1]
    assert (entry["status"], entry["position"], entry["content"], entry["error"]) == ("cancelled", 6, "Hello ", None)


def test_a_users_message_is_409(client: Client) -> None:
    conversation = new_id()
    client.complete("Hi", conversation_id=conversation)
    answer = client.cancel(client.history(conversation)[0]["id"])
    assert (answer.status_code, set(answer.json())) == (409, {"error", "details"})


def test_a_regenerate_that_is_cancelled_without_text_shows_the_old_reply(client: Client, simulator: Simulator) -> None:
    conversation = new_id()
    first = client.complete("Hi", conversation_id=conversation).json()["messageId"]
    before = client.history(conversation)
    simulator.script("openai", first_delay=20, text="x")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(client.post, f"/chat/messages/{first}/regenerate", {})
        reply = wait_for(lambda: _other(client.history(conversation)[-1]["id"], first))
        client.cancel(reply)
        assert answer.result().status_code == 200
    assert client.history(conversation) == before


def _other(found: str, known: str) -> str | None:
    return found if found != known else None
