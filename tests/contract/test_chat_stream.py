"""`POST /chat/{provider}`: the bytes of the stream."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contract import events
from tests.contract.client import Client, assistant, connection, new_id, system, user
from tests.simulator import Simulator

PROVIDERS = {
    "gpt": ("openai", "gpt-4o"),
    "claude": ("anthropic", "claude-3-5-sonnet-latest"),
    "gemini": ("gemini", "gemini-2.0-flash"),
}


def test_it_sends_exactly_these_bytes(client: Client, simulator: Simulator) -> None:
    simulator.script("openai", chunks=["Hello", " there"], delay=0.1)
    text = client.chat("Hi").text
    chunk_id = re.search(r'"id":"(gpt-\d+)"', text)
    assert chunk_id is not None
    assert text == (
        f'data: {{"id":"{chunk_id[1]}","delta":{{"content":"Hello","model":"gpt-4o"}}}}\n\n'
        f'data: {{"id":"{chunk_id[1]}","delta":{{"content":" there","model":"gpt-4o"}}}}\n\n'
        "data: [DONE]\n\n"
    )


def test_it_sends_positions_with_a_stored_reply(client: Client, simulator: Simulator) -> None:
    simulator.script("openai", chunks=["Hello", " th\U0001f642re"], delay=0.1)
    stream = client.events("Hi", conversation_id=new_id())
    assert [event.id for event in stream] == [5, 11, 12]


def test_it_sends_no_positions_where_nothing_is_stored(client: Client) -> None:
    assert {event.id for event in client.events("Hi")} == {None}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("stored", [False, True])
def test_it_names_provider_and_model_in_every_chunk(mounted: Client, provider: str, stored: bool) -> None:
    fields = {"conversation_id": new_id()} if stored else {}
    chunks = events.deltas(mounted.events("Hi", provider=provider, **fields))
    assert all(set(chunk) == {"id", "delta"} for chunk in chunks)
    assert all(set(chunk["delta"]) == {"content", "model"} for chunk in chunks)
    assert {chunk["delta"]["model"] for chunk in chunks} == {PROVIDERS[provider][1]}
    assert len({chunk["id"] for chunk in chunks}) == 1
    assert re.fullmatch(rf"{provider}-\d+", chunks[0]["id"])


@pytest.mark.parametrize("provider", PROVIDERS)
def test_it_streams_the_whole_text(client: Client, simulator: Simulator, provider: str) -> None:
    simulator.script(PROVIDERS[provider][0], chunks=["One, ", "two, ", "three."])
    assert events.text_of(client.events("Hi", provider=provider)) == "One, two, three."


@pytest.mark.parametrize("provider", PROVIDERS)
def test_it_ends_with_done_once(client: Client, provider: str) -> None:
    stream = client.events("Hi", provider=provider)
    assert [event.data for event in stream].index(events.DONE) == len(stream) - 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_it_sends_each_piece_as_it_comes(client: Client, simulator: Simulator, provider: str) -> None:
    simulator.script(PROVIDERS[provider][0], chunks=["first ", "second"], fault="stall", after=1)
    with client.stream("Hi", provider=provider) as stream:
        assert stream.until_text() == "first "


def test_the_chunk_id_has_the_digits_of_the_message(client: Client) -> None:
    conversation = new_id()
    chunks = events.deltas(client.events("Hi", conversation_id=conversation))
    assert chunks[0]["id"].removeprefix("gpt-") == client.history(conversation)[-1]["id"].removeprefix("msg-")


def test_it_gives_each_reply_an_id_of_its_own(client: Client) -> None:
    ids = {events.deltas(client.events("Hi"))[0]["id"] for _ in range(4)}
    assert len(ids) == 4


def test_it_takes_timestamp_and_model_of_a_message_without_notice(client: Client, simulator: Simulator) -> None:
    message = {**user("Hi"), "timestamp": 1234567890, "model": "gpt-9"}
    chunks = events.deltas(client.events(message, {**assistant("Yes?"), "model": None, "timestamp": None}, user("Hi")))
    assert chunks[0]["delta"]["model"] == "gpt-4o"
    assert simulator.last("openai")["body"]["model"] == "gpt-4o"


def test_it_takes_no_notice_of_a_model_in_the_request(client: Client, simulator: Simulator) -> None:
    client.events("Hi", model="gpt-9", stream=False)
    assert simulator.last("openai")["body"]["model"] == "gpt-4o"


def test_it_names_the_configured_model_not_the_vendors_dated_one(client: Client, simulator: Simulator) -> None:
    chunks = events.deltas(client.events("Hi", provider="claude"))
    assert {chunk["delta"]["model"] for chunk in chunks} == {"claude-3-5-sonnet-latest"}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("stored", [False, True])
def test_it_tells_in_band_of_an_error_after_text(
    client: Client, simulator: Simulator, provider: str, stored: bool
) -> None:
    vendor = PROVIDERS[provider][0]
    simulator.script(vendor, chunks=["some ", "text"], fault="error", after=2, message="a-secret-of-the-vendor")
    fields = {"conversation_id": new_id()} if stored else {}
    stream = client.events("Hi", provider=provider, **fields)
    assert events.text_of(stream) == "some text"
    failed, done = stream[-2:]
    assert set(failed.value) == {"id", "error"}
    assert failed.value["id"] == stream[0].value["id"]
    assert failed.error
    assert "a-secret" not in failed.data
    assert done.data == events.DONE
    assert [failed.id, done.id] == ([10, 11] if stored else [None, None])


@pytest.mark.parametrize("fault", ["drop", "reset", "end", "bad_json", "not_sse"])
def test_it_tells_of_every_way_to_break_off(client: Client, simulator: Simulator, fault: str) -> None:
    simulator.script("openai", chunks=["some ", "text"], fault=fault, after=1, delay=0.05)
    stream = client.events("Hi")
    assert events.text_of(stream) == "some "
    assert len(events.errors(stream)) == 1
    assert stream[-1].data == events.DONE


def test_it_starts_no_second_model_after_the_first_text(client: Client, simulator: Simulator) -> None:
    simulator.script("openai", "gpt-4o", chunks=["some ", "text"], fault="drop", after=1)
    client.events("Hi")
    assert [chat["model"] for chat in simulator.chats()] == ["gpt-4o"]


def test_it_ends_a_filtered_reply_with_its_text(client: Client, simulator: Simulator) -> None:
    simulator.script("openai", chunks=["I may ", "not"], filtered=True)
    conversation = new_id()
    stream = client.events("Hi", conversation_id=conversation)
    assert events.text_of(stream) == "I may not"
    assert events.errors(stream) == []
    assert client.message(client.history(conversation)[-1]["id"])["finish_reason"] == "content_filter"


@pytest.mark.parametrize("provider", ["claude", "gemini"])
def test_it_ends_every_vendors_filtered_reply_with_its_text(
    client: Client, simulator: Simulator, provider: str
) -> None:
    simulator.script(PROVIDERS[provider][0], chunks=["I may ", "not"], filtered=True)
    conversation = new_id()
    assert events.text_of(client.events("Hi", provider=provider, conversation_id=conversation)) == "I may not"
    assert client.message(client.history(conversation)[-1]["id"])["finish_reason"] == "content_filter"


def test_it_leaves_nothing_of_a_reply_that_is_not_stored(client: Client) -> None:
    digits = events.deltas(client.events("Hi"))[0]["id"].removeprefix("gpt-")
    assert client.get(f"/chat/messages/msg-{digits}").status_code == 404


@pytest.mark.parametrize("provider", ["unknown", "GPT", "openai", "gpt4", "%F0%9F%99%82"])
def test_it_refuses_a_provider_that_is_none(mounted: Client, provider: str) -> None:
    answer = mounted.chat("Hi", provider=provider)
    assert answer.status_code == 400
    assert list(answer.json()) == ["detail"]
    assert "Invalid provider" in answer.json()["detail"]


def test_it_streams_to_http_1_0_clients_and_closes(client: Client) -> None:
    body = b'{"messages":[{"role":"user","content":"Hi"}]}'
    with connection(client.url) as opened:
        opened.sendall(
            b"POST /chat/gpt HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        received = b"".join(iter(lambda: opened.recv(65536), b""))
    assert b"data: [DONE]\n\n" in received


def test_it_streams_many_at_once(client: Client, simulator: Simulator) -> None:
    simulator.script("openai", chunks=20, delay=0.02)
    with ThreadPoolExecutor(8) as pool:
        streams = list(pool.map(lambda _: client.events("Hi"), range(8)))
    assert {len(events.text_of(stream)) for stream in streams} == {100}


def test_it_answers_system_messages_alone_with_400(client: Client) -> None:
    answer = client.chat(system("You are a cat"))
    assert (answer.status_code, list(answer.json())) == (400, ["detail"])


@pytest.mark.parametrize("provider", PROVIDERS)
def test_it_takes_a_list_that_ends_with_the_assistant(client: Client, provider: str) -> None:
    assert client.chat(user("Hi"), assistant("Once upon"), provider=provider).status_code == 200


@pytest.mark.parametrize("provider", PROVIDERS)
def test_it_takes_a_list_that_begins_with_the_assistant(client: Client, provider: str) -> None:
    assert client.chat(assistant("Welcome!"), user("Hi"), provider=provider).status_code == 200


@pytest.mark.parametrize("provider", PROVIDERS)
def test_it_takes_a_list_of_one_role_after_itself(client: Client, provider: str) -> None:
    messages = [user("One"), user("Two"), assistant("A"), assistant("B"), user("C")]
    assert client.chat(*messages, provider=provider).status_code == 200
