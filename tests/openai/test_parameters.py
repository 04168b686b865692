"""What is passed on, what passes by, and what is refused by name."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from tests.simulator import Simulator

HELLO: list[Any] = [{"role": "user", "content": "Hello"}]
CLAUDE, GEMINI, GPT = "claude-3-5-sonnet-latest", "gemini-2.0-flash", "gpt-4o"
PIXEL = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}


@pytest.fixture(autouse=True)
def brief(simulator: Simulator) -> None:
    simulator.script(text="Hello there.")


def sent(sdk: openai.OpenAI, simulator: Simulator, model: str = GPT, **parameters: Any) -> dict[str, Any]:
    """What the vendor received."""
    sdk.chat.completions.create(**{"model": model, "messages": HELLO, **parameters})
    return dict(simulator.last()["body"])


def refusal(sdk: openai.OpenAI, model: str = GPT, **parameters: Any) -> openai.BadRequestError:
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.chat.completions.create(**{"model": model, "messages": HELLO, **parameters})
    return caught.value


def test_it_sends_openai_what_it_was_asked_for(sdk: openai.OpenAI, simulator: Simulator) -> None:
    asked: dict[str, Any] = {"temperature": 0.9, "top_p": 0.8, "max_tokens": 77, "stop": ["END"], "seed": 7}
    body = sent(sdk, simulator, **asked)
    assert {name: body.get(name) for name in asked} == asked


def test_it_sends_anthropic_what_it_was_asked_for(sdk: openai.OpenAI, simulator: Simulator) -> None:
    body = sent(sdk, simulator, CLAUDE, temperature=0.9, top_p=0.8, max_tokens=77, stop="END")
    assert (body["temperature"], body["top_p"], body["max_tokens"], body["stop_sequences"]) == (0.9, 0.8, 77, ["END"])


def test_it_sends_gemini_what_it_was_asked_for(sdk: openai.OpenAI, simulator: Simulator) -> None:
    body = sent(sdk, simulator, GEMINI, temperature=0.9, top_p=0.8, max_completion_tokens=77, stop=["END"], seed=7)
    assert body["generationConfig"] == {
        "temperature": 0.9,
        "topP": 0.8,
        "maxOutputTokens": 77,
        "stopSequences": ["END"],
        "seed": 7,
    }


def test_it_adds_nothing_of_ours_at_openai(sdk: openai.OpenAI, simulator: Simulator) -> None:
    body = sent(sdk, simulator)
    assert body == {
        "model": GPT,
        "messages": HELLO,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_it_adds_nothing_of_ours_at_gemini(sdk: openai.OpenAI, simulator: Simulator) -> None:
    body = sent(sdk, simulator, GEMINI)
    assert body.pop("generationConfig", {}) == {}
    assert body == {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}


def test_it_adds_the_limit_alone_that_anthropic_demands(sdk: openai.OpenAI, simulator: Simulator) -> None:
    body = sent(sdk, simulator, CLAUDE)
    assert body == {"model": CLAUDE, "messages": HELLO, "max_tokens": 8192, "stream": True}


@pytest.mark.parametrize("role", ["system", "developer"])
def test_it_sends_instructions_to_every_vendor(sdk: openai.OpenAI, simulator: Simulator, role: str) -> None:
    messages = [{"role": role, "content": "Be brief."}, *HELLO]
    assert sent(sdk, simulator, messages=messages)["messages"][0] == {"role": "system", "content": "Be brief."}
    assert sent(sdk, simulator, CLAUDE, messages=messages)["system"] == "Be brief."
    assert sent(sdk, simulator, GEMINI, messages=messages)["systemInstruction"]["parts"] == [{"text": "Be brief."}]


def test_it_sends_the_whole_conversation(sdk: openai.OpenAI, simulator: Simulator) -> None:
    messages = [*HELLO, {"role": "assistant", "content": "Hi."}, {"role": "user", "content": "And you?"}]
    assert sent(sdk, simulator, messages=messages)["messages"] == messages


def test_it_joins_text_parts(sdk: openai.OpenAI, simulator: Simulator) -> None:
    parts = [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}]
    assert sent(sdk, simulator, messages=[{"role": "user", "content": parts}])["messages"] == HELLO


def test_it_knows_no_limit_of_the_documents(sdk: openai.OpenAI, simulator: Simulator) -> None:
    long = [{"role": "user", "content": "x" * 30_000}, {"role": "assistant", "content": "y"}] * 40 + HELLO
    assert sent(sdk, simulator, messages=long)["messages"] == long


def test_it_passes_openais_own_parameters_to_openai(sdk: openai.OpenAI, simulator: Simulator) -> None:
    own: dict[str, Any] = {
        "frequency_penalty": 0.5,
        "presence_penalty": -0.5,
        "response_format": {"type": "json_object"},
    }
    body = sent(sdk, simulator, **own)
    assert {name: body.get(name) for name in own} == own


@pytest.mark.parametrize("model", [GPT, CLAUDE, GEMINI])
@pytest.mark.parametrize(
    "parameters",
    [
        {"n": 1},
        {"user": "somebody", "metadata": {"a": "b"}, "store": False},
        {"tools": [], "logprobs": False, "frequency_penalty": 0, "presence_penalty": 0.0},
        {"response_format": {"type": "text"}, "modalities": ["text"], "logit_bias": {}},
        {"temperature": None, "top_p": None, "stop": None, "max_tokens": None},
    ],
    ids=lambda parameters: next(iter(parameters)),
)
def test_it_lets_pass_what_changes_nothing(
    sdk: openai.OpenAI, simulator: Simulator, model: str, parameters: dict[str, Any]
) -> None:
    assert sent(sdk, simulator, model, **parameters) == sent(sdk, simulator, model)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("n", {"n": 2}),
        ("tools", {"tools": [TOOL]}),
        ("logprobs", {"logprobs": True}),
        ("modalities", {"modalities": ["text", "audio"]}),
        ("web_search_options", {"web_search_options": {}}),
        ("a_word_of_tomorrow", {"extra_body": {"a_word_of_tomorrow": 1}}),
    ],
)
def test_it_refuses_by_name_what_it_cannot_do(
    sdk: openai.OpenAI, simulator: Simulator, name: str, parameters: dict[str, Any]
) -> None:
    error = refusal(sdk, **parameters)
    assert (error.param, name in str(error)) == (name, True)
    assert simulator.chats() == []


def test_it_refuses_images(sdk: openai.OpenAI) -> None:
    content = [{"type": "text", "text": "What is this?"}, PIXEL]
    assert refusal(sdk, messages=[{"role": "user", "content": content}]).param == "messages[0].content[1]"


@pytest.mark.parametrize("role", ["tool", "function", "wizard"])
def test_it_refuses_roles_it_does_not_know(sdk: openai.OpenAI, role: str) -> None:
    messages = [*HELLO, {"role": role, "content": "x", "tool_call_id": "call_1"}]
    assert str(refusal(sdk, messages=messages).param).startswith("messages[1]")


@pytest.mark.parametrize("model", [CLAUDE, GEMINI])
@pytest.mark.parametrize("name", ["frequency_penalty", "presence_penalty", "response_format"])
def test_it_refuses_at_others_what_only_openai_knows(sdk: openai.OpenAI, model: str, name: str) -> None:
    value: Any = {"type": "json_object"} if name == "response_format" else 0.5
    assert refusal(sdk, model, **{name: value}).param == name


def test_it_refuses_a_seed_that_anthropic_would_not_take(sdk: openai.OpenAI) -> None:
    assert refusal(sdk, CLAUDE, seed=7).param == "seed"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", 2.1),
        ("temperature", "hot"),
        ("top_p", -0.1),
        ("max_tokens", 0),
        ("max_completion_tokens", 1.5),
        ("stop", [1]),
        ("stop", ["a", "b", "c", "d", "e"]),
        ("seed", "x"),
        ("stream", "yes"),
        ("stream_options", []),
        ("messages", []),
        ("messages", "Hello"),
        ("model", 7),
    ],
)
def test_it_refuses_values_that_cannot_be(sdk: openai.OpenAI, name: str, value: Any) -> None:
    assert refusal(sdk, **{name: value}).param == name


@pytest.mark.parametrize("name", ["model", "messages"])
def test_it_asks_for_what_is_missing(sdk: openai.OpenAI, name: str) -> None:
    body = {"model": GPT, "messages": HELLO}
    del body[name]
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.post("/chat/completions", body=body, cast_to=object)
    assert caught.value.param == name
