"""`GET /chat/messages/{id}`."""

from __future__ import annotations

from tests.contract.client import Client, new_id
from tests.simulator import Simulator

KEYS = [
    "id",
    "conversation_id",
    "parent_id",
    "role",
    "content",
    "timestamp",
    "status",
    "position",
    "provider",
    "model",
    "finish_reason",
    "usage",
    "error",
    "feedback",
]


def test_it_tells_all_there_is_of_a_reply(client: Client, simulator: Simulator) -> None:
    simulator.script("openai", chunks=["Hello ", "\U0001f642"], input_tokens=12, output_tokens=34)
    conversation = new_id()
    reply = client.complete("Hi", conversation_id=conversation).json()["messageId"]
    question, answer = client.history(conversation)
    found = client.message(reply)
    assert list(found) == KEYS
    assert found["id"] == reply
    assert (found["conversation_id"], found["parent_id"]) == (conversation, question["id"])
    assert (found["role"], found["content"], found["timestamp"]) == (
        "assistant",
        "Hello \U0001f642",
        answer["timestamp"],
    )
    assert (found["status"], found["position"]) == ("complete", 7)
    assert (found["provider"], found["model"], found["finish_reason"]) == ("gpt", "gpt-4o", "stop")
    assert found["usage"] == {"input_tokens": 12, "output_tokens": 34, "estimated": False}
    assert (found["error"], found["feedback"]) == (None, None)


def test_it_is_the_same_at_both_mounts(mounted: Client) -> None:
    reply = mounted.complete("Hi").json()["messageId"]
    assert list(mounted.message(reply)) == KEYS


def test_it_tells_of_a_question(client: Client) -> None:
    conversation = new_id()
    client.complete("Hi", conversation_id=conversation)
    found = client.message(client.history(conversation)[0]["id"])
    assert list(found) == KEYS
    assert (found["role"], found["content"], found["status"], found["parent_id"]) == ("user", "Hi", "complete", None)
    assert (found["position"], found["provider"], found["model"], found["usage"]) == (2, None, None, None)


def test_it_tells_how_a_reply_that_streams_stands(client: Client, simulator: Simulator) -> None:
    simulator.script("openai", chunks=["Hello", " there"], fault="stall", after=1)
    with client.stream("Hi", conversation_id=new_id()) as stream:
        stream.until_text()
        found = client.message(stream.message_id)
        client.cancel(stream.message_id)
    assert list(found) == KEYS
    assert (found["status"], found["content"], found["position"]) == ("streaming", "Hello", 5)
    assert (found["provider"], found["model"], found["finish_reason"]) == ("gpt", "gpt-4o", None)


def test_it_tells_an_estimate_where_a_vendor_counted_nothing(client: Client, simulator: Simulator) -> None:
    simulator.script("openai", text="Hello", usage=False)
    usage = client.message(client.complete("Hi").json()["messageId"])["usage"]
    assert usage["estimated"] is True
    assert usage["input_tokens"] > 0
    assert usage["output_tokens"] > 0


def test_it_tells_what_went_wrong(client: Client, simulator: Simulator) -> None:
    simulator.script("openai", chunks=["Hello", " there"], fault="error", after=1, message="a-secret")
    conversation = new_id()
    client.chat("Hi", conversation_id=conversation)
    found = client.message(client.history(conversation)[-1]["id"])
    assert (found["status"], found["content"]) == ("failed", "Hello")
    assert isinstance(found["error"], str)
    assert "a-secret" not in found["error"]


def test_it_tells_the_fallback_model_where_that_answered(client: Client, simulator: Simulator) -> None:
    simulator.script("openai", "gpt-4o", status=503)
    assert client.message(client.complete("Hi", provider="gpt").json()["messageId"])["model"] == "gpt-4o-mini"


def test_it_tells_the_vendors_word_for_the_end_in_ours(client: Client, simulator: Simulator) -> None:
    simulator.script("openai", text="Hello", finish="length")
    assert client.message(client.complete("Hi").json()["messageId"])["finish_reason"] == "length"


def test_it_guesses_no_word_that_it_does_not_know(client: Client, simulator: Simulator) -> None:
    simulator.script("openai", text="Hello", finish="tired")
    found = client.message(client.complete("Hi").json()["messageId"])
    assert (found["finish_reason"], found["status"]) == (None, "complete")


def test_it_names_the_alternatives_oldest_first(client: Client) -> None:
    first = client.complete("Hi").json()["messageId"]
    second = client.post(f"/chat/messages/{first}/regenerate").headers["X-Message-ID"]
    assert client.message(first)["siblings"] == client.message(second)["siblings"] == [first, second]


def test_it_counts_no_reply_without_text_among_them(client: Client, simulator: Simulator) -> None:
    first = client.complete("Hi").json()["messageId"]
    simulator.script(status=500)
    client.post(f"/chat/messages/{first}/regenerate")
    assert "siblings" not in client.message(first)
