"""With `X-Conversation-ID` a turn is stored, and continued from wherever its client goes next."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from tests.contract.client import Client, new_id
from tests.contract.people import People
from tests.openai.conftest import sdk_of
from tests.simulator import Simulator

HELLO: list[Any] = [{"role": "user", "content": "Hello"}]


@pytest.fixture(autouse=True)
def brief(simulator: Simulator) -> None:
    simulator.script(text="Hello there.")


def stored(sdk: openai.OpenAI, conversation: str, **parameters: Any) -> Any:
    """The raw response. Header names with a value of None are left out."""
    headers = {"X-Conversation-ID": conversation, **parameters.pop("headers", {})}
    asked = {"model": "gpt-4o", "messages": HELLO, **parameters}
    return sdk.chat.completions.with_raw_response.create(**asked, extra_headers=headers)


def test_it_stores_the_turn(sdk: openai.OpenAI, chat: Client) -> None:
    conversation = new_id()
    answer = stored(sdk, conversation)
    user, reply = chat.history(conversation)
    assert (user["content"], reply["content"]) == ("Hello", "Hello there.")
    assert (answer.headers["X-Conversation-ID"], answer.headers["X-Message-ID"]) == (conversation, reply["id"])


@pytest.mark.parametrize("stream", [False, True])
def test_it_calls_chunks_by_the_digits_of_the_message(sdk: openai.OpenAI, stream: bool) -> None:
    answer = stored(sdk, new_id(), stream=stream)
    digits = answer.headers["X-Message-ID"].removeprefix("msg-")
    parsed = answer.parse()
    assert {chunk.id for chunk in (parsed if stream else [parsed])} == {f"chatcmpl-{digits}"}


def test_it_streams_without_event_ids(sdk: openai.OpenAI, chat: Client) -> None:
    body = {"model": "gpt-4o", "messages": HELLO, "stream": True}
    answer = chat.post("/v1/chat/completions", body, headers={"X-Conversation-ID": new_id()})
    assert [line for line in answer.text.splitlines() if not line.startswith("data: ") and line] == []


def test_it_goes_upstream_without_our_defaults(sdk: openai.OpenAI, simulator: Simulator) -> None:
    stored(sdk, new_id())
    body = simulator.last()["body"]
    assert body["messages"] == HELLO
    assert not {"temperature", "max_tokens", "max_completion_tokens"} & body.keys()


def test_it_is_continued_in_chat_with_our_defaults(sdk: openai.OpenAI, chat: Client, simulator: Simulator) -> None:
    conversation = new_id()
    stored(sdk, conversation)
    chat.events("And you?", conversation_id=conversation)
    body = simulator.last()["body"]
    assert [message["content"] for message in body["messages"][1:]] == ["Hello", "Hello there.", "And you?"]
    assert body["messages"][0]["role"] == "system"
    assert (body["temperature"], body["max_tokens"]) == (0.3, 8192)


def test_it_continues_what_was_said_in_chat(sdk: openai.OpenAI, chat: Client, simulator: Simulator) -> None:
    conversation = new_id()
    chat.events("Hello", conversation_id=conversation)
    stored(sdk, conversation, messages=[{"role": "user", "content": "And you?"}])
    sent = [message["content"] for message in simulator.last()["body"]["messages"]]
    assert sent == ["Hello", "Hello there.", "And you?"]


def test_it_takes_whole_lists_as_sdks_send_them(sdk: openai.OpenAI, chat: Client) -> None:
    conversation = new_id()
    first = stored(sdk, conversation).parse().choices[0].message
    whole = [*HELLO, first.to_dict(), {"role": "user", "content": "And you?"}]
    stored(sdk, conversation, messages=whole)
    assert chat.texts(conversation) == ["Hello", "Hello there.", "And you?", "Hello there."]


def test_it_keeps_instructions_with_the_conversation(sdk: openai.OpenAI, chat: Client, simulator: Simulator) -> None:
    conversation = new_id()
    stored(sdk, conversation, messages=[{"role": "developer", "content": "Be brief."}, *HELLO])
    chat.events("And you?", conversation_id=conversation)
    assert "Be brief." in simulator.last()["body"]["messages"][0]["content"]
    assert chat.texts(conversation)[:2] == ["Hello", "Hello there."]


@pytest.mark.parametrize("stream", [False, True])
def test_it_gives_the_first_answer_again(sdk: openai.OpenAI, chat: Client, simulator: Simulator, stream: bool) -> None:
    conversation, key = new_id(), {"Idempotency-Key": new_id()}
    first, again = (stored(sdk, conversation, stream=stream, headers=key) for _ in range(2))
    assert again.headers["X-Message-ID"] == first.headers["X-Message-ID"]
    assert (len(simulator.chats()), len(chat.history(conversation))) == (1, 2)


def test_it_refuses_a_key_for_something_else(sdk: openai.OpenAI) -> None:
    conversation, key = new_id(), {"Idempotency-Key": new_id()}
    stored(sdk, conversation, headers=key)
    with pytest.raises(openai.UnprocessableEntityError):
        stored(sdk, conversation, headers=key, messages=[{"role": "user", "content": "Another"}])


def test_it_refuses_an_id_nobody_may_choose(sdk: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError):
        stored(sdk, "../etc")


def test_it_hides_conversations_from_others(people: People, simulator: Simulator) -> None:
    conversation = new_id()
    for name in ("owner", "stranger"):
        with sdk_of(people.server, api_key=people.tokens[name]) as sdk:
            stored(sdk, conversation)
    assert len(people.client("owner").history(conversation)) == 2
    assert len(people.client("stranger").history(conversation)) == 2
