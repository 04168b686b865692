"""`POST /chat/completions` and `POST /conversation/message`."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contract.client import Client, new_id
from tests.simulator import Simulator

PATHS = ["/chat/completions", "/conversation/message"]


@pytest.mark.parametrize("path", PATHS)
def test_it_answers_with_the_three_documented_fields(mounted: Client, path: str) -> None:
    answer = mounted.post(path, {"message": "Hello, how are you?"})
    assert answer.status_code == 200
    assert set(answer.json()) == {"message", "messageId", "conversation_id"}
    assert all(type(value) is str for value in answer.json().values())


def test_it_answers_with_the_whole_reply(client: Client, simulator: Simulator) -> None:
    simulator.script("openai", chunks=["Hello! ", "I'm doing ", "well."])
    assert client.complete("Hello").json()["message"] == "Hello! I'm doing well."


def test_it_makes_ids_in_the_documented_shape(client: Client) -> None:
    answer = client.complete("Hello").json()
    assert re.fullmatch(r"msg-\d{13}\d{25,}", answer["messageId"])
    assert re.fullmatch(r"session-\d{13}\d{25,}", answer["conversation_id"])


def test_it_makes_ids_that_tell_nothing_of_each_other(client: Client) -> None:
    first, second = (client.complete("Hello").json()["messageId"] for _ in range(2))
    assert first[17:] != second[17:]
    assert len(first) == len(second)


def test_it_creates_the_conversation_whose_id_the_client_chose(client: Client) -> None:
    conversation = new_id()
    assert client.get(f"/chat/history/{conversation}").status_code == 404
    assert client.complete("Hello", conversation_id=conversation).json()["conversation_id"] == conversation
    assert client.texts(conversation)[0] == "Hello"


def test_it_makes_a_conversation_where_none_is_named(client: Client) -> None:
    first, second = (client.complete("Hello").json()["conversation_id"] for _ in range(2))
    assert first != second


def test_it_takes_null_for_no_conversation(client: Client) -> None:
    assert client.complete("Hello", conversation_id=None).json()["conversation_id"].startswith("session-")


@pytest.mark.parametrize("given", ["", " ", "-a", "a/b", "x" * 129, "é", "a b", "\n", "a\n"])
@pytest.mark.parametrize("path", PATHS)
def test_it_refuses_a_conversation_id_that_a_client_may_not_choose(client: Client, path: str, given: str) -> None:
    answer = client.post(path, {"message": "Hello", "conversation_id": given})
    assert answer.status_code == 400
    assert "conversation_id" in answer.json()["details"]


@pytest.mark.parametrize("given", ["a", "7", "A.b_c:d~e-f", "z" * 128])
def test_it_takes_any_other_conversation_id(client: Client, given: str) -> None:
    mine = f"{given[:100]}{new_id()}"[:128]
    assert client.complete("Hello", conversation_id=mine).json()["conversation_id"] == mine


def test_it_sends_the_earlier_turns_upstream(client: Client, simulator: Simulator) -> None:
    conversation = new_id()
    simulator.script("openai", text="First answer", times=1)
    client.complete("First question", conversation_id=conversation)
    client.complete("Second question", conversation_id=conversation)
    sent = [(message["role"], message["content"]) for message in simulator.last("openai")["body"]["messages"]]
    assert sent[1:] == [("user", "First question"), ("assistant", "First answer"), ("user", "Second question")]
    assert sent[0][0] == "system"


def test_it_sends_at_most_the_newest_fifty_messages_beginning_with_a_users(
    client: Client, simulator: Simulator
) -> None:
    conversation = new_id()
    brought = [{"role": ("user", "assistant")[n % 2], "content": f"message {n}"} for n in range(49)]
    client.chat(*brought, conversation_id=conversation)
    client.complete("one more", conversation_id=conversation)
    sent = [m["content"] for m in simulator.last("openai")["body"]["messages"] if m["role"] != "system"]
    assert len(sent) == 49  # of the newest fifty the first is a reply
    assert (sent[0], sent[-1]) == ("message 2", "one more")


def test_it_keeps_conversations_apart(client: Client, simulator: Simulator) -> None:
    client.complete("A secret", conversation_id=new_id())
    client.complete("Hello", conversation_id=new_id())
    assert "A secret" not in str(simulator.last("openai")["body"])


def test_it_asks_the_provider_that_the_request_names(client: Client, simulator: Simulator) -> None:
    client.complete("Hello", provider="claude")
    assert [chat["vendor"] for chat in simulator.chats()] == ["anthropic"]


def test_it_asks_the_default_provider(client: Client, simulator: Simulator) -> None:
    client.complete("Hello")
    assert [chat["vendor"] for chat in simulator.chats()] == ["openai"]


def test_it_asks_the_provider_that_the_environment_makes_the_default(impatient: Client, simulator: Simulator) -> None:
    impatient.complete("Hello")
    assert [chat["vendor"] for chat in simulator.chats()] == ["gemini"]


def test_it_asks_the_other_providers_when_the_default_one_fails_altogether(
    client: Client, simulator: Simulator
) -> None:
    simulator.script("openai", status=503)
    simulator.script("anthropic", text="Here I am")
    answer = client.complete("Hello")
    assert answer.json()["message"] == "Here I am"
    assert [chat["model"] for chat in simulator.chats()] == ["gpt-4o", "gpt-4o-mini", "claude-3-5-sonnet-latest"]


def test_it_notes_the_provider_and_model_that_answered(client: Client, simulator: Simulator) -> None:
    simulator.script("openai", status=503)
    message = client.message(client.complete("Hello").json()["messageId"])
    assert (message["provider"], message["model"]) == ("claude", "claude-3-5-sonnet-latest")


def test_it_asks_no_other_provider_than_the_one_named(client: Client, simulator: Simulator) -> None:
    simulator.script("anthropic", status=503)
    answer = client.complete("Hello", provider="claude")
    assert answer.status_code == 500
    assert {chat["vendor"] for chat in simulator.chats()} == {"anthropic"}


def test_it_fails_with_500_when_all_fail(client: Client, simulator: Simulator) -> None:
    simulator.script(status=503, message="a-secret-of-the-vendor")
    answer = client.complete("Hello")
    assert answer.status_code == 500
    assert set(answer.json()) == {"error", "details"}
    assert answer.json()["error"] == "Internal server error"
    assert "failed" in answer.json()["details"]
    assert "a-secret-of-the-vendor" not in answer.text


def test_it_fails_with_500_when_the_reply_breaks_off(client: Client, simulator: Simulator) -> None:
    simulator.script("openai", chunks=["some ", "text"], fault="drop", after=2)
    assert client.complete("Hello").status_code == 500


def test_it_keeps_the_text_of_a_reply_that_broke_off(client: Client, simulator: Simulator) -> None:
    conversation = new_id()
    simulator.script("openai", chunks=["some ", "text"], fault="drop", after=2)
    client.complete("Hello", conversation_id=conversation)
    assert client.texts(conversation) == ["Hello", "some text"]


def test_it_fails_with_504_when_nobody_answers_in_time(impatient: Client, simulator: Simulator) -> None:
    simulator.script(fault="stall")
    answer = impatient.complete("Hello")
    assert (answer.status_code, answer.json()["error"]) == (504, "Response timeout")


def test_it_shares_its_time_over_the_providers_it_tries(impatient: Client, simulator: Simulator) -> None:
    simulator.script("gemini", fault="stall")
    answer = impatient.complete("Hello")
    assert answer.status_code == 200
    assert simulator.chats()[-1]["vendor"] != "gemini"


@pytest.mark.parametrize("timestamp", ["2025-01-05T10:00:00Z", 1704459600000, None, "nonsense", {"a": 1}, 1e400])
def test_it_takes_no_notice_of_a_timestamp(client: Client, timestamp: object) -> None:
    body = {"message": "Hello", "conversation_id": new_id(), "timestamp": timestamp}
    text = json.dumps(body).replace("Infinity", "1e999")
    assert client.raw("/conversation/message", text.encode()).status_code == 200


def test_it_takes_no_notice_of_fields_that_it_does_not_know(client: Client) -> None:
    assert client.complete("Hello", model="gpt-9", stream=True, user="me").status_code == 200


def test_both_paths_share_one_conversation(client: Client) -> None:
    conversation = new_id()
    client.complete("One", conversation_id=conversation)
    client.post("/conversation/message", {"message": "Two", "conversation_id": conversation})
    assert client.texts(conversation)[::2] == ["One", "Two"]


@pytest.mark.parametrize("provider", ["unknown", "GPT", "", "openai"])
def test_it_refuses_a_provider_that_is_none(client: Client, provider: str) -> None:
    answer = client.complete("Hello", provider=provider)
    assert answer.status_code == 400
    assert "Invalid provider" in answer.json()["details"]


def test_it_stores_nothing_of_a_refused_request(client: Client) -> None:
    conversation = new_id()
    client.complete("", conversation_id=conversation)
    assert client.get(f"/chat/history/{conversation}").status_code == 404


def test_it_lets_many_ask_at_once(client: Client) -> None:
    conversation = new_id()
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda n: client.complete(f"Q{n}", conversation_id=conversation), range(6)))
    assert [answer.status_code for answer in answers] == [200] * 6
    texts = client.texts(conversation)
    assert sorted(texts[::2]) == [f"Q{n}" for n in range(6)]
    assert all(reply.endswith(question) for question, reply in zip(texts[::2], texts[1::2], strict=True))
