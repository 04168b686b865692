"""`GET /chat/messages/{id}/stream`: what comes after a position, at every kind of position."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.contract import events
from tests.contract.client import Client, Stream, new_id, wait_for
from tests.simulator import Simulator

TEXT = "Hello \U0001f642 there"
END = len(TEXT)


def run(client: Client, simulator: Simulator, **script: Any) -> str:
    """A reply that has ended. Returns its id."""
    simulator.script("openai", **{"chunks": ["Hello ", "\U0001f642 there"], **script})
    conversation = new_id()
    client.chat("Hi", conversation_id=conversation)
    return str(client.history(conversation)[-1]["id"])


@pytest.fixture
def complete(client: Client, simulator: Simulator) -> str:
    return run(client, simulator)


@pytest.fixture
def failed(client: Client, simulator: Simulator) -> str:
    return run(client, simulator, fault="drop", after=2)


@pytest.fixture
def cancelled(client: Client, simulator: Simulator) -> str:
    simulator.script("openai", chunks=[TEXT, "x"], fault="stall", after=1)
    with client.stream("Hi", conversation_id=new_id()) as stream:
        stream.until_text(END)
        client.cancel(stream.message_id)
        stream.rest()
    return stream.message_id


def status(client: Client, message: str, after: object) -> int:
    return client.get(f"/chat/messages/{message}/stream", params={"after": str(after)}).status_code


def test_it_sends_the_whole_reply_from_the_start(mounted: Client, complete: str) -> None:
    seen = mounted.rejoined(complete)
    assert events.text_of(seen) == TEXT
    assert [event.id for event in seen] == [END, END + 1]
    assert seen[-1].data == events.DONE


def test_its_chunks_look_like_the_first_ones(client: Client, simulator: Simulator) -> None:
    conversation = new_id()
    first = client.events("Hi", conversation_id=conversation)
    again = client.rejoined(client.history(conversation)[-1]["id"])
    assert again[0].value["id"] == first[0].value["id"]
    assert again[0].value["delta"]["model"] == first[0].value["delta"]["model"]


def test_it_has_the_headers_of_a_stream(client: Client, complete: str) -> None:
    with client.rejoin(complete) as stream:
        stream.rest()
    assert stream.headers["Content-Type"].split(";")[0] == "text/event-stream"
    assert stream.headers["Cache-Control"] == "no-cache"
    assert stream.headers["X-Message-ID"] == complete
    assert stream.headers["X-Conversation-ID"].startswith("session-")


@pytest.mark.parametrize("position", range(END))
def test_it_sends_what_comes_after_any_position(client: Client, complete: str, position: int) -> None:
    assert events.text_of(client.rejoined(complete, position)) == TEXT[position:]


def test_it_sends_the_end_at_the_end_of_the_text(client: Client, complete: str) -> None:
    seen = client.rejoined(complete, END)
    assert [(event.id, event.data) for event in seen] == [(END + 1, events.DONE)]


@pytest.mark.parametrize("beyond", [1, 2, 3, 1000, 10**18 - 1 - END])
def test_nothing_comes_at_done_or_beyond_it(client: Client, complete: str, beyond: int) -> None:
    assert status(client, complete, END + beyond) == 204


@pytest.mark.parametrize("beyond", [1, 2, 1000])
def test_nothing_comes_beyond_a_cancelled_end(client: Client, cancelled: str, beyond: int) -> None:
    assert status(client, cancelled, END + beyond) == 204


def test_a_cancelled_reply_ends_with_done_alone(client: Client, cancelled: str) -> None:
    seen = client.rejoined(cancelled)
    assert events.text_of(seen) == TEXT
    assert [event.id for event in seen] == [END, END + 1]
    assert events.errors(seen) == []


def test_a_failed_reply_ends_with_its_error_and_done(client: Client, failed: str) -> None:
    seen = client.rejoined(failed)
    assert events.text_of(seen) == TEXT
    assert [event.id for event in seen] == [END, END + 1, END + 2]
    assert len(events.errors(seen)) == 1


def test_both_come_at_the_end_of_its_text(client: Client, failed: str) -> None:
    assert [event.id for event in client.rejoined(failed, END)] == [END + 1, END + 2]


def test_only_done_comes_at_the_id_of_its_error(client: Client, failed: str) -> None:
    seen = client.rejoined(failed, END + 1)
    assert [(event.id, event.data) for event in seen] == [(END + 2, events.DONE)]


def test_nothing_comes_at_its_done(client: Client, failed: str) -> None:
    assert status(client, failed, END + 2) == 204


@pytest.mark.parametrize("beyond", [3, 50])
def test_beyond_it_text_was_lost(client: Client, failed: str, beyond: int) -> None:
    seen = client.rejoined(failed, END + beyond)
    assert [event.id for event in seen] == [END + 1, END + 2]
    assert "lost" in events.errors(seen)[0]
    assert seen[-1].data == events.DONE


def test_the_header_says_where_the_client_is(client: Client, complete: str) -> None:
    assert events.text_of(client.rejoined(complete, last_event_id="6")) == TEXT[6:]


def test_the_header_wins(client: Client, complete: str) -> None:
    assert events.text_of(client.rejoined(complete, 2, last_event_id="6")) == TEXT[6:]


BAD = ["-1", "x", "1.5", "1e3", "9" * 19, "+1", "0x1", "1 2", "٣"]


@pytest.mark.parametrize("bad", [*BAD, " 1", ""])
def test_a_position_that_is_none_is_400(client: Client, complete: str, bad: str) -> None:
    assert status(client, complete, bad) == 400


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_header_is_400_too(client: Client, complete: str, bad: str) -> None:
    answer = client.get(f"/chat/messages/{complete}/stream", headers={"Last-Event-ID": bad.encode()})
    assert (answer.status_code, list(answer.json())) == (400, ["detail"])


@pytest.mark.parametrize("zero", ["0", "00", "000000000000000000"])
def test_0_is_the_start(client: Client, complete: str, zero: str) -> None:
    assert status(client, complete, zero) == 200


def test_a_users_message_has_no_stream(client: Client) -> None:
    conversation = new_id()
    client.complete("Hi", conversation_id=conversation)
    assert client.get(f"/chat/messages/{client.history(conversation)[0]['id']}/stream").status_code == 204


# -- while it runs -----------------------------------------------------------------------------------------------------


@pytest.fixture
def running(client: Client, simulator: Simulator) -> Iterator[Stream]:
    simulator.script("openai", chunks=40, delay=0.03)
    with client.stream("Hi", conversation_id=new_id()) as stream:
        stream.until_text(10)
        yield stream


def test_two_viewers_see_the_same(client: Client, running: Stream) -> None:
    with ThreadPoolExecutor(3) as pool:
        others = [pool.submit(client.rejoined, running.message_id) for _ in range(3)]
        first = running.rest()
    assert {events.text_of(other.result()) for other in others} == {events.text_of(first)}
    assert {other.result()[-1].id for other in others} == {first[-1].id}


@pytest.mark.parametrize("position", [0, 3, 10])
def test_it_goes_on_from_a_position(client: Client, running: Stream, position: int) -> None:
    seen = client.rejoined(running.message_id, position)
    assert events.text_of(seen) == client.ended(running.message_id)["content"][position:]


def test_it_waits_for_a_position_that_is_ahead(client: Client, running: Stream) -> None:
    seen = client.rejoined(running.message_id, 150)
    assert events.text_of(seen) == client.ended(running.message_id)["content"][150:]
    assert seen[-1].data == events.DONE


def test_one_far_ahead_is_told_at_the_end_that_nothing_follows(client: Client, running: Stream) -> None:
    assert status(client, running.message_id, 100_000) == 204


def test_positions_count_code_points_and_never_run_back(client: Client, running: Stream) -> None:
    position = 0
    for event in running.rest():
        assert event.id is not None
        assert event.id == position + (len(event.text) or 1)
        position = event.id


def test_leaving_and_coming_back_loses_nothing(client: Client, simulator: Simulator) -> None:
    simulator.script("openai", chunks=40, delay=0.02)
    text, position = "", 0
    with client.stream("Hi", conversation_id=new_id()) as stream:
        text, position = stream.until_text(), stream.seen[-1].id or 0
        reply = stream.message_id
    while True:
        with client.rejoin(reply, position) as stream:
            for event in stream:
                text, position = text + event.text, event.id or 0
                if len(stream.seen) == 3:
                    break
        if stream.seen[-1].data == events.DONE:
            break
    assert text == client.message(reply)["content"]
    assert len(text) == 200


def test_every_view_ends_after_the_history_has_it(client: Client, running: Stream) -> None:
    client.rejoined(running.message_id)
    assert client.message(running.message_id)["status"] == "complete"


def test_done_means_stored(client: Client, simulator: Simulator) -> None:
    simulator.script("openai", text="Hello")
    for _ in range(10):
        conversation = new_id()
        with client.stream("Hi", conversation_id=conversation) as stream:
            for event in stream:
                if event.data == events.DONE:
                    entry = client.history(conversation)[-1]
        assert (entry["content"], "status" in entry) == ("Hello", False)


def test_viewers_of_a_failing_reply_are_told_the_same(client: Client, simulator: Simulator) -> None:
    simulator.script("openai", chunks=20, delay=0.03, fault="drop", after=20)
    with client.stream("Hi", conversation_id=new_id()) as stream:
        stream.until_text()
        other = client.rejoined(stream.message_id)
        first = stream.rest()
    assert events.errors(first) == events.errors(other)
    assert [event.id for event in first[-2:]] == [event.id for event in other[-2:]]


def test_it_joins_a_reply_before_its_first_token(client: Client, simulator: Simulator) -> None:
    simulator.script("openai", first_delay=0.5, text="Hello")
    conversation = new_id()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.events, "Hi", conversation_id=conversation)
        reply = _reply_of(client, conversation)
        assert events.text_of(client.rejoined(reply)) == "Hello"
        first.result()


def _reply_of(client: Client, conversation: str) -> str:
    def found() -> str | None:
        answer = client.get(f"/chat/history/{conversation}")
        return answer.json()["messages"][-1]["id"] if answer.status_code == 200 else None

    return wait_for(found)
