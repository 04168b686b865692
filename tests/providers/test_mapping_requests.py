"""Any legal list of messages makes a request that each vendor takes, and that says the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.adapters import anthropic, gemini, openai
from providers.adapters.turns import CONTINUE, OPENING
from providers.errors import Unanswerable
from providers.messages import CompletionRequest, Message, Role
from providers.simulator.anthropic_api import Anthropic as AnthropicRules
from providers.simulator.gemini_api import Gemini as GeminiRules
from providers.simulator.openai_api import OpenAI as OpenAIRules
from providers.simulator.vendor import Route, Vendor
from tests.providers.rawvendor import config

MODELS = {"openai": "gpt-4o", "anthropic": "claude-3-5-sonnet-latest", "gemini": "gemini-2.0-flash"}
MAPPING = {"openai": openai.to_wire, "anthropic": anthropic.to_wire, "gemini": gemini.to_wire}
RULES: dict[str, Vendor] = {"openai": OpenAIRules(), "anthropic": AnthropicRules(), "gemini": GeminiRules()}
HEADERS = {"anthropic-version": anthropic.API_VERSION, "content-type": "application/json"}

ROLES = st.sampled_from(["user", "assistant"])
CONTENTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).map(
    lambda text: text if text.strip() and text not in (OPENING, CONTINUE) else f"{text}x"
)
CONVERSATIONS = st.lists(st.builds(Message, ROLES, CONTENTS), min_size=1, max_size=50)
every_vendor = pytest.mark.parametrize("vendor", MAPPING)


def said(*turns: tuple[Role, str]) -> CompletionRequest:
    return CompletionRequest([Message(role, text) for role, text in turns], "a-model")


def body_of(vendor: str, request: CompletionRequest) -> dict[str, object]:
    return MAPPING[vendor](request, config(vendor, None))


@every_vendor
@given(messages=CONVERSATIONS, instructions=st.just("") | CONTENTS)
def test_it_makes_a_request_that_the_vendor_takes(vendor: str, messages: list[Message], instructions: str) -> None:
    request = CompletionRequest(messages, MODELS[vendor], instructions, temperature=0.3, max_tokens=8192, stop=["END"])
    ask = RULES[vendor].read(Route("chat", request.model, True), body_of(vendor, request), HEADERS)
    assert RULES[vendor].refuse(ask) is None


@pytest.mark.parametrize("vendor", ["anthropic", "gemini"])
@given(messages=CONVERSATIONS)
def test_it_alternates_from_user_to_user_and_leaves_nothing_out(vendor: str, messages: list[Message]) -> None:
    turns = _turns(vendor, CompletionRequest(messages, "a-model"))
    assert [role for role, _ in turns] == ["user" if number % 2 == 0 else "assistant" for number in range(len(turns))]
    assert len(turns) % 2 == 1
    assert [text for role, text in turns if text not in (OPENING, CONTINUE)] == _merged(messages)


@every_vendor
@pytest.mark.parametrize("messages", [[], [Message("user", " \n")], [Message("assistant", "\t")]])
def test_it_says_that_nobody_could_answer(vendor: str, messages: list[Message]) -> None:
    with pytest.raises(Unanswerable):
        body_of(vendor, CompletionRequest(messages, "a-model", instructions="Be kind."))


def test_it_gives_anthropic_what_was_said() -> None:
    request = said(("assistant", "Hello!"), ("user", "Hi."), ("user", "You there?"), ("assistant", "Yes, I "))
    assert body_of("anthropic", request)["messages"] == [
        {"role": "user", "content": OPENING},
        {"role": "assistant", "content": "Hello!"},
        {"role": "user", "content": "Hi.\n\nYou there?"},
        {"role": "assistant", "content": "Yes, I "},
        {"role": "user", "content": CONTINUE},
    ]


def test_it_gives_gemini_what_was_said() -> None:
    request = said(("user", "Hi."), ("assistant", " "), ("user", "You there?"))
    assert body_of("gemini", request)["contents"] == [{"role": "user", "parts": [{"text": "Hi.\n\nYou there?"}]}]


def test_it_gives_openai_every_message_as_it_is() -> None:
    request = said(("assistant", "Hello!"), ("user", "Hi."), ("user", " "))
    assert body_of("openai", request)["messages"] == [
        {"role": "assistant", "content": "Hello!"},
        {"role": "user", "content": "Hi."},
        {"role": "user", "content": " "},
    ]


@every_vendor
def test_it_leaves_out_what_was_not_asked(vendor: str) -> None:
    body = body_of(vendor, said(("user", "Hi.")))
    names = {
        "openai": {"model", "messages", "stream", "stream_options"},
        "anthropic": {"model", "messages", "stream", "max_tokens"},
        "gemini": {"contents", "generationConfig"},
    }
    assert set(body) == names[vendor]


@every_vendor
def test_it_lets_extra_parameters_change_nothing_of_ours(vendor: str) -> None:
    request = CompletionRequest([Message("user", "Hi.")], "a-model", extra={"stream": False, "contents": [], "x": 1})
    body = body_of(vendor, request)
    assert body["x"] == 1
    assert body.get("stream") is not False or vendor == "gemini"
    assert body.get("contents") != [] or vendor != "gemini"


@pytest.mark.parametrize("vendor", MAPPING)
def test_it_spares_models_the_parameters_that_they_refuse(vendor: str) -> None:
    request = CompletionRequest([Message("user", "Hi.")], "o3-mini", temperature=0.3, top_p=0.9)
    body = str(MAPPING[vendor](request, config(vendor, None, no_temperature=("gpt-5*", "o3*"))))
    assert "temperature" not in body
    assert "top" not in body


def _merged(messages: list[Message]) -> list[str]:
    """The texts with neighbours of one role put together, written as plainly as can be."""
    texts: list[str] = []
    last = ""
    for message in messages:
        if message.role == last:
            texts[-1] += "\n\n" + message.content
        else:
            texts.append(message.content)
        last = message.role
    return texts


def _turns(vendor: str, request: CompletionRequest) -> list[tuple[str, str]]:
    if vendor == "anthropic":
        return [
            (turn["role"], turn["content"]) for turn in anthropic.to_wire(request, config(vendor, None))["messages"]
        ]
    contents = gemini.to_wire(request, config(vendor, None))["contents"]
    roles = {"user": "user", "model": "assistant"}
    return [(roles[turn["role"]], turn["parts"][0]["text"]) for turn in contents]
