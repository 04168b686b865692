"""Anthropic's SDK against the simulator."""

from __future__ import annotations

from typing import Any

import anthropic
import pytest

from tests.providers.simulator.sdks import anthropic_sdk
from tests.simulator import Simulator

HELLO: Any = [{"role": "user", "content": "Hello"}]
MODEL = "claude-3-5-sonnet-latest"


def create(simulator: Simulator, *, version: str = "2023-06-01", **parameters: Any) -> Any:
    sdk = anthropic_sdk(simulator, version=version)
    return sdk.messages.create(**{"model": MODEL, "max_tokens": 100, "messages": HELLO, **parameters})


def refusal(simulator: Simulator, **parameters: Any) -> anthropic.APIStatusError:
    with pytest.raises(anthropic.BadRequestError) as caught:
        create(simulator, **parameters)
    return caught.value


def test_it_answers_with_every_field_of_a_message(simulator: Simulator) -> None:
    simulator.script("anthropic", text="Hi", input_tokens=3, output_tokens=4)
    message = create(simulator)
    type(message).model_validate(message.model_dump(), strict=True)
    assert (message.usage.input_tokens, message.usage.output_tokens) == (3, 4)
    assert message.stop_reason == "end_turn"


def test_it_streams_the_events_in_the_vendors_order(simulator: Simulator) -> None:
    simulator.script("anthropic", chunks=["a", "b"])
    kinds = [event.type for event in create(simulator, stream=True)]
    assert kinds == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


def test_it_streams_events_that_the_sdk_takes_strictly(simulator: Simulator) -> None:
    for event in create(simulator, stream=True):
        type(event).model_validate(event.model_dump(), strict=True)


def test_it_pings_before_the_text(simulator: Simulator) -> None:
    response = anthropic_sdk(simulator).messages.with_raw_response.create(
        model=MODEL, max_tokens=5, messages=HELLO, stream=True
    )
    events = [event.event for event in anthropic.Stream.raw_events(response.http_response)]
    assert events[:4] == ["message_start", "content_block_start", "ping", "content_block_delta"]


def test_it_feeds_the_sdks_own_helper(simulator: Simulator) -> None:
    simulator.script("anthropic", chunks=["Hel", "lo"], output_tokens=9)
    with anthropic_sdk(simulator).messages.stream(model=MODEL, max_tokens=5, messages=HELLO) as stream:
        message = stream.get_final_message()
    assert (message.content[0].text, message.usage.output_tokens) == ("Hello", 9)  # type: ignore[union-attr]


def test_it_sends_no_content_block_for_an_empty_reply(simulator: Simulator) -> None:
    simulator.script("anthropic", text="")
    assert "content_block_start" not in [event.type for event in create(simulator, stream=True)]


def test_it_answers_an_alias_with_the_dated_model(simulator: Simulator) -> None:
    assert create(simulator).model == "claude-3-5-sonnet-20241022"


def test_it_lists_models(simulator: Simulator) -> None:
    assert "claude-opus-5-5" in [model.id for model in anthropic_sdk(simulator).models.list()]


def test_it_knows_a_model(simulator: Simulator) -> None:
    model = anthropic_sdk(simulator).models.retrieve(MODEL)
    type(model).model_validate(model.model_dump(), strict=True)
    assert model.id == "claude-3-5-sonnet-20241022"


def test_it_does_not_know_a_model_of_another_vendor(simulator: Simulator) -> None:
    with pytest.raises(anthropic.NotFoundError) as caught:
        anthropic_sdk(simulator).models.retrieve("gpt-4o")
    assert caught.value.type == "not_found_error"


def test_it_sends_a_request_id_with_an_error(simulator: Simulator) -> None:
    error = refusal(simulator, messages=[])
    assert error.body["request_id"] == error.request_id  # type: ignore[index]


def test_it_wants_a_token_limit(simulator: Simulator) -> None:
    with pytest.raises(anthropic.BadRequestError) as caught:
        anthropic_sdk(simulator).post("/v1/messages", body={"model": MODEL, "messages": HELLO}, cast_to=object)
    assert caught.value.api_message == "max_tokens: Field required"


def test_it_wants_a_version(simulator: Simulator) -> None:
    assert "header is required" in str(refusal(simulator, version=""))


def test_it_refuses_an_unknown_version(simulator: Simulator) -> None:
    assert "not a valid version" in str(refusal(simulator, version="1999-01-01"))


def test_it_takes_a_temperature_in_the_old_version(simulator: Simulator) -> None:
    assert create(simulator, extra_body={"temperature": 0.3}).content


@pytest.mark.parametrize("parameter", ["temperature", "top_p", "top_k"])
def test_it_refuses_sampling_parameters_in_the_new_version(simulator: Simulator, parameter: str) -> None:
    assert parameter in str(refusal(simulator, version="2026-10-21", extra_body={parameter: 1}))


def test_it_refuses_a_temperature_above_one(simulator: Simulator) -> None:
    assert "temperature: range" in str(refusal(simulator, extra_body={"temperature": 1.5}))


@pytest.mark.parametrize(
    ("roles", "reason"),
    [
        (["assistant"], "first message must use"),
        (["user", "user"], "roles must alternate"),
        (["user", "assistant", "assistant"], "roles must alternate"),
        (["user", "system"], 'Unexpected role "system"'),
        (["user", "robot"], "Input should be 'user' or 'assistant'"),
    ],
)
def test_it_refuses_an_order_of_roles(simulator: Simulator, roles: list[str], reason: str) -> None:
    assert reason in str(refusal(simulator, messages=[{"role": role, "content": "Hello"} for role in roles]))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "must have non-empty content"),
        ([], "must have non-empty content"),
        ([{"type": "text", "text": ""}], "must be non-empty"),
        (" \n", "non-whitespace text"),
    ],
)
def test_it_refuses_a_text_without_content(simulator: Simulator, content: object, reason: str) -> None:
    assert reason in str(refusal(simulator, messages=[{"role": "user", "content": content}]))


def test_it_refuses_white_space_at_the_end_of_a_begun_reply(simulator: Simulator) -> None:
    begun = [*HELLO, {"role": "assistant", "content": "I think \n"}]
    assert "trailing whitespace" in str(refusal(simulator, messages=begun))


def test_it_goes_on_with_a_begun_reply(simulator: Simulator) -> None:
    assert create(simulator, messages=[*HELLO, {"role": "assistant", "content": "I think"}]).content


def test_it_ends_a_filtered_reply_with_a_refusal(simulator: Simulator) -> None:
    simulator.script("anthropic", text="Some text", filtered=True)
    deltas = [event.delta for event in create(simulator, stream=True) if event.type == "message_delta"]
    assert [(delta.stop_reason, delta.stop_details.type) for delta in deltas] == [("refusal", "refusal")]
