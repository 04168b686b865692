"""`Idempotency-Key`: a mobile retry makes one answer and one bill."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contract import events
from tests.contract.client import Client, new_id, wait_for
from tests.simulator import Simulator


def key(value: str | None = None) -> dict[str, str]:
    return {"Idempotency-Key": value or new_id()}


def test_it_gives_the_first_answer_again(client: Client, simulator: Simulator) -> None:
    conversation, headers = new_id(), key()
    first = client.complete("Hello", conversation_id=conversation, headers=headers)
    again = client.complete("Hello", conversation_id=conversation, headers=headers)
    assert again.json() == first.json()
    assert (len(simulator.chats()), len(client.history(conversation))) == (1, 2)


def test_it_gives_the_first_stream_again_from_the_start(client: Client, simulator: Simulator) -> None:
    conversation, headers = new_id(), key()
    first = client.events("Hello", conversation_id=conversation, headers=headers)
    answer = client.chat("Hello", conversation_id=conversation, headers=headers)
    again = events.read(answer.text)
    assert events.text_of(again) == events.text_of(first)
    assert {event.value["id"] for event in again if event.text} == {first[0].value["id"]}
    assert again[-1].id == first[-1].id
    assert answer.headers["X-Message-ID"] == client.history(conversation)[-1]["id"]
    assert len(simulator.chats()) == 1


def test_it_joins_a_stream_that_runs(client: Client, simulator: Simulator) -> None:
    conversation, headers = new_id(), key()
    simulator.script("openai", chunks=20, delay=0.03)
    with client.stream("Hello", conversation_id=conversation, headers=headers) as first:
        first.until_text(10)
        again = client.events("Hello", conversation_id=conversation, headers=headers)
        rest = first.rest()
    assert events.text_of(again) == events.text_of(rest)
    assert len(events.text_of(again)) == 100
    assert len(simulator.chats()) == 1


def test_it_joins_after_its_first_client_has_left(client: Client, simulator: Simulator) -> None:
    conversation, headers = new_id(), key()
    simulator.script("openai", chunks=20, delay=0.03)
    with client.stream("Hello", conversation_id=conversation, headers=headers) as first:
        first.until_text()
    again = client.events("Hello", conversation_id=conversation, headers=headers)
    assert len(events.text_of(again)) == 100
    assert len(simulator.chats()) == 1


def test_it_joins_a_completion_that_runs(client: Client, simulator: Simulator) -> None:
    conversation, headers = new_id(), key()
    simulator.script("openai", chunks=20, delay=0.03)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.complete, "Hello", conversation_id=conversation, headers=headers)
        wait_for(simulator.chats)
        again = client.complete("Hello", conversation_id=conversation, headers=headers)
        assert again.json() == first.result().json()
    assert len(simulator.chats()) == 1


@pytest.mark.parametrize("named", [True, False])
def test_many_at_once_ask_the_vendor_once(client: Client, simulator: Simulator, named: bool) -> None:
    headers = key()
    fields = {"conversation_id": new_id()} if named else {}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.complete("Hello", headers=headers, **fields), range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert len(simulator.chats()) == 1
    assert len(client.history(answers[0].json()["conversation_id"])) == 2


def test_both_mounts_and_both_paths_are_one_route(client: Client, simulator: Simulator) -> None:
    headers = key()
    body = {"message": "Hello", "conversation_id": new_id()}
    paths = ["/chat/completions", "/api/v1/chat/completions/", "/conversation/message", "/api/v1/conversation/message"]
    answers = [client.post(path, body, headers=headers).json() for path in paths]
    assert answers == [answers[0]] * 4
    assert len(simulator.chats()) == 1


@pytest.mark.parametrize("quoted", ['"{}"', "{}"])
def test_quotes_around_it_do_not_count(client: Client, simulator: Simulator, quoted: str) -> None:
    conversation, value = new_id(), new_id()
    client.complete("Hello", conversation_id=conversation, headers=key(value))
    client.complete("Hello", conversation_id=conversation, headers=key(quoted.format(value)))
    assert len(simulator.chats()) == 1


def test_the_order_of_fields_white_space_and_timestamps_do_not_count(client: Client, simulator: Simulator) -> None:
    conversation, headers = new_id(), {**key(), "Content-Type": "application/json"}
    bodies = [
        b'{"message":"Hello","conversation_id":"%b","timestamp":1}',
        b'{ "timestamp" : "later", "conversation_id":"%b",  "message":"\\u0048ello" }',
    ]
    answers = [
        client.http.post("/conversation/message", content=body % conversation.encode(), headers=headers)
        for body in bodies
    ]
    assert answers[0].json() == answers[1].json()
    assert len(simulator.chats()) == 1


def test_timestamps_of_messages_do_not_count(client: Client, simulator: Simulator) -> None:
    conversation, headers = new_id(), key()
    for timestamp in (1, 2):
        message = {"role": "user", "content": "Hello", "timestamp": timestamp}
        client.events(message, conversation_id=conversation, headers=headers)
    assert len(simulator.chats()) == 1


def test_another_body_is_422(client: Client, simulator: Simulator) -> None:
    conversation, headers = new_id(), key()
    client.complete("Hello", conversation_id=conversation, headers=headers)
    answer = client.complete("Hello!", conversation_id=conversation, headers=headers)
    assert answer.status_code == 422
    assert set(answer.json()) == {"error", "details"}
    assert len(client.history(conversation)) == 2


def test_another_route_is_422(client: Client) -> None:
    conversation, headers = new_id(), key()
    client.chat("Hello", conversation_id=conversation, headers=headers)
    answer = client.chat("Hello", provider="claude", conversation_id=conversation, headers=headers)
    assert (answer.status_code, list(answer.json())) == (422, ["detail"])


def test_another_body_is_422_while_the_first_one_runs(client: Client, simulator: Simulator) -> None:
    conversation, headers = new_id(), key()
    simulator.script("openai", chunks=["a", "b"], fault="stall", after=1)
    with client.stream("Hello", conversation_id=conversation, headers=headers) as stream:
        stream.until_text()
        assert client.chat("Bye", conversation_id=conversation, headers=headers).status_code == 422
        client.cancel(stream.message_id)


@pytest.mark.parametrize("value", ["", '""', "two words", "x" * 256, "tab\there", "é"])
@pytest.mark.parametrize("stored", [True, False])
def test_a_key_of_another_shape_is_400(client: Client, value: str, stored: bool) -> None:
    fields = {"conversation_id": new_id()} if stored else {}
    answer = client.chat("Hello", headers={"Idempotency-Key": value.encode()}, **fields)  # type: ignore[dict-item]
    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.json()["detail"]


@pytest.mark.parametrize("value", ["a", "x" * 255, '"open', "!#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"])
def test_any_visible_ascii_is_a_key(client: Client, value: str) -> None:
    assert client.chat("Hello", conversation_id=new_id(), headers=key(value)).status_code == 200


def test_a_failure_frees_it(client: Client, simulator: Simulator) -> None:
    conversation, headers = new_id(), key()
    simulator.script("openai", status=500, times=2)
    assert client.chat("Hello", conversation_id=conversation, headers=headers).status_code == 500
    assert client.chat("Hello", conversation_id=conversation, headers=headers).status_code == 200
    assert client.texts(conversation)[0] == "Hello"
    assert len(client.history(conversation)) == 2


def test_a_freed_key_is_free_for_anything(client: Client, simulator: Simulator) -> None:
    conversation, headers = new_id(), key()
    simulator.script("openai", status=500, times=2)
    client.chat("Hello", conversation_id=conversation, headers=headers)
    assert client.chat("Goodbye", conversation_id=conversation, headers=headers).status_code == 200


def test_a_completion_that_failed_after_text_frees_it_too(client: Client, simulator: Simulator) -> None:
    conversation, headers = new_id(), key()
    simulator.script("openai", chunks=["half ", "x"], fault="drop", after=1, times=1)
    simulator.script("openai", text="whole")
    assert client.complete("Hello", conversation_id=conversation, headers=headers).status_code == 500
    again = client.complete("Hello", conversation_id=conversation, headers=headers)
    assert again.json()["message"] == "whole"
    history = client.history(conversation)
    assert [entry["content"] for entry in history] == ["Hello", "whole"]
    assert len(history[1]["siblings"]) == 2


def test_a_stream_that_failed_after_text_is_kept(client: Client, simulator: Simulator) -> None:
    conversation, headers = new_id(), key()
    simulator.script("openai", chunks=["half ", "x"], fault="drop", after=1, times=1)
    first = client.events("Hello", conversation_id=conversation, headers=headers)
    again = client.events("Hello", conversation_id=conversation, headers=headers)
    assert events.text_of(again) == "half "
    assert events.errors(again) == events.errors(first)
    assert [event.id for event in again[-2:]] == [event.id for event in first[-2:]]
    assert len(simulator.chats()) == 1


def test_a_cancelled_stream_is_kept(client: Client, simulator: Simulator) -> None:
    conversation, headers = new_id(), key()
    simulator.script("openai", chunks=["some ", "x"], fault="stall", after=1)
    with client.stream("Hello", conversation_id=conversation, headers=headers) as stream:
        stream.until_text()
        client.cancel(stream.message_id)
        stream.rest()
    again = client.events("Hello", conversation_id=conversation, headers=headers)
    assert (events.text_of(again), again[-1].data, len(again)) == ("some ", events.DONE, 2)


@pytest.mark.parametrize("refused", [{"content": ""}, {"content": "x" * 24_001}])
def test_a_refused_request_leaves_nothing(client: Client, refused: dict[str, str]) -> None:
    conversation, headers = new_id(), key()
    client.chat({"role": "user", **refused}, conversation_id=conversation, headers=headers)
    assert client.chat("Hello", conversation_id=conversation, headers=headers).status_code == 200


def test_a_conflict_leaves_nothing(client: Client, simulator: Simulator) -> None:
    conversation, headers = new_id(), key()
    simulator.script("openai", chunks=["a", "b"], fault="stall", after=1, times=1)
    with client.stream("first", conversation_id=conversation) as stream:
        stream.until_text()
        fields = {"conversation_id": conversation, "on_busy": "reject"}
        assert client.chat("second", headers=headers, **fields).status_code == 409
        client.cancel(stream.message_id)
        stream.rest()
    assert client.chat("second", headers=headers, **fields).status_code == 200


def test_keys_of_two_conversations_are_two_in_open_mode(client: Client, simulator: Simulator) -> None:
    for _ in range(2):
        assert client.complete("Hello", conversation_id=new_id(), headers=key("1")).status_code == 200
    assert len(simulator.chats()) == 2


def test_it_keeps_a_regenerate_from_being_made_twice(client: Client, simulator: Simulator) -> None:
    reply, headers = client.complete("Hello").json()["messageId"], key()
    first, again = (
        client.post(f"/chat/messages/{reply}/regenerate", {}, headers=headers).headers["X-Message-ID"] for _ in range(2)
    )
    assert first == again
    assert len(simulator.chats()) == 2


def test_it_keeps_an_edit_from_being_made_twice(client: Client, simulator: Simulator) -> None:
    conversation, headers = new_id(), key()
    client.complete("Hello", conversation_id=conversation)
    question = client.history(conversation)[0]["id"]
    for _ in range(2):
        client.post(f"/chat/messages/{question}/edit", {"content": "Bye"}, headers=headers)
    assert len(simulator.chats()) == 2
    assert len(client.history(conversation)[0]["siblings"]) == 2
