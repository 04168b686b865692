"""A completion as the SDK reads it, whole and in chunks."""

from __future__ import annotations

import re
import time
from typing import Any

import openai
import pytest

from tests.simulator import Simulator

HELLO: list[Any] = [{"role": "user", "content": "Hello"}]
MODELS = {"gpt-4o": "openai", "claude-3-5-sonnet-latest": "anthropic", "gemini-1.5-pro": "gemini"}


def asked(sdk: openai.OpenAI, **parameters: Any) -> Any:
    """The completion, or all of its chunks where a stream was asked for."""
    answer: Any = sdk.chat.completions.create(**{"model": "gpt-4o", "messages": HELLO, **parameters})
    return list(answer) if parameters.get("stream") else answer


@pytest.mark.parametrize(("model", "vendor"), MODELS.items())
def test_it_answers_with_the_provider_of_the_model(
    sdk: openai.OpenAI, simulator: Simulator, model: str, vendor: str
) -> None:
    simulator.script(vendor, text="Hello there.")
    answer = asked(sdk, model=model)
    assert (answer.model, answer.choices[0].message.content) == (model, "Hello there.")
    assert answer.choices[0].message.role == "assistant"
    assert [each["model"] for each in simulator.chats(vendor)] == [model]


def test_it_answers_in_openais_shape(sdk: openai.OpenAI, simulator: Simulator) -> None:
    simulator.script(text="Hello there.")
    answer = asked(sdk)
    assert answer.object == "chat.completion"
    assert re.fullmatch(r"chatcmpl-[0-9]+", answer.id)
    assert abs(answer.created - time.time()) < 60
    assert [choice.index for choice in answer.choices] == [0]


def test_it_tells_what_was_used(sdk: openai.OpenAI, simulator: Simulator) -> None:
    simulator.script(text="Hello there.", input_tokens=12, output_tokens=34)
    usage = asked(sdk).usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (12, 34, 46)


@pytest.mark.parametrize(
    ("model", "said", "finish"),
    [
        ("gpt-4o", "stop", "stop"),
        ("gpt-4o", "length", "length"),
        ("gpt-4o", "content_filter", "content_filter"),
        ("claude-3-5-sonnet-latest", "max_tokens", "length"),
        ("gemini-1.5-pro", "MAX_TOKENS", "length"),
        ("gpt-4o", "tool_calls", "tool_calls"),
        ("gpt-4o", "a word of tomorrow", None),
    ],
)
def test_it_tells_in_openais_words_how_the_model_ended(
    sdk: openai.OpenAI, simulator: Simulator, model: str, said: str, finish: str | None
) -> None:
    simulator.script(text="Hello there.", finish=said)
    assert asked(sdk, model=model).choices[0].finish_reason == finish


def test_it_streams_the_text(sdk: openai.OpenAI, simulator: Simulator) -> None:
    simulator.script(chunks=["Hel", "lo ", "🙂."], delay=0.02)
    chunks = asked(sdk, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Hello 🙂."
    assert chunks[0].choices[0].delta.role == "assistant"
    assert {chunk.model for chunk in chunks} == {"gpt-4o"}
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk.id for chunk in chunks}) == 1


def test_it_ends_a_stream_with_how_the_model_ended(sdk: openai.OpenAI, simulator: Simulator) -> None:
    simulator.script(text="Hello there.", finish="length")
    chunks = asked(sdk, stream=True)
    assert [chunk.choices[0].finish_reason for chunk in chunks][-2:] == [None, "length"]


def test_it_streams_no_usage_unasked(sdk: openai.OpenAI, simulator: Simulator) -> None:
    simulator.script(text="Hello there.")
    chunks = asked(sdk, stream=True)
    assert all(chunk.choices for chunk in chunks)
    assert [chunk for chunk in chunks if "usage" in chunk.model_fields_set] == []


def test_it_streams_usage_last_where_asked(sdk: openai.OpenAI, simulator: Simulator) -> None:
    simulator.script(text="Hello there.", input_tokens=12, output_tokens=34)
    options = {"include_usage": True}
    chunks = asked(sdk, stream=True, stream_options=options)
    assert (chunks[-1].choices, chunks[-1].usage.total_tokens) == ([], 46)
    assert {chunk.usage for chunk in chunks[:-1]} == {None}


def test_it_serves_the_sdks_own_stream_helper(sdk: openai.OpenAI, simulator: Simulator) -> None:
    simulator.script(text="Hello there.")
    with sdk.chat.completions.stream(model="gpt-4o", messages=HELLO) as stream:
        assert stream.get_final_completion().choices[0].message.content == "Hello there."


async def test_it_serves_the_asynchronous_sdk(sdk: openai.OpenAI, simulator: Simulator) -> None:
    simulator.script(text="Hello there.")
    async with openai.AsyncOpenAI(base_url=sdk.base_url, api_key="any", max_retries=0) as other:
        stream: Any = await other.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True)
        assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream]) == "Hello there."


def test_it_stores_nothing_unasked(sdk: openai.OpenAI, simulator: Simulator) -> None:
    simulator.script(text="Hello there.")
    answer = sdk.chat.completions.with_raw_response.create(model="gpt-4o", messages=HELLO)
    assert "X-Conversation-ID" not in answer.headers
    assert "X-Message-ID" not in answer.headers
