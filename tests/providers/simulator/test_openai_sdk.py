"""OpenAI's SDK against the simulator."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai.types import CompletionUsage

from tests.providers.simulator.sdks import openai_sdk
from tests.simulator import Simulator

HELLO = [{"role": "user", "content": "Hello"}]


def create(simulator: Simulator, **parameters: Any) -> Any:
    return openai_sdk(simulator).chat.completions.create(**{"model": "gpt-4o", "messages": HELLO, **parameters})


def refusal(simulator: Simulator, **parameters: Any) -> openai.APIStatusError:
    with pytest.raises(openai.APIStatusError) as caught:
        create(simulator, **parameters)
    return caught.value


def test_it_answers_with_every_field_of_a_completion(simulator: Simulator) -> None:
    simulator.script("openai", text="Hi", input_tokens=3, output_tokens=4)
    completion = create(simulator)
    # Built by the SDK without validation, so its own model has to take it strictly.
    type(completion).model_validate(completion.model_dump(), strict=True)
    assert (completion.usage.prompt_tokens, completion.usage.total_tokens) == (3, 7)
    assert completion.choices[0].finish_reason == "stop"


def test_it_streams_chunks_that_the_sdk_takes_strictly(simulator: Simulator) -> None:
    simulator.script("openai", chunks=["a", "b"])
    chunks = list(create(simulator, stream=True, stream_options={"include_usage": True}))
    for chunk in chunks:
        type(chunk).model_validate(chunk.model_dump(), strict=True)
    assert len({chunk.id for chunk in chunks}) == 1


def test_it_begins_with_the_role_and_no_text(simulator: Simulator) -> None:
    first = next(iter(create(simulator, stream=True)))
    assert (first.choices[0].delta.role, first.choices[0].delta.content) == ("assistant", "")


def test_it_sends_usage_last_and_without_choices(simulator: Simulator) -> None:
    last = list(create(simulator, stream=True, stream_options={"include_usage": True}))[-1]
    assert last.choices == []
    assert isinstance(last.usage, CompletionUsage)


def test_it_sends_no_usage_unasked(simulator: Simulator) -> None:
    assert all(chunk.usage is None and chunk.choices for chunk in create(simulator, stream=True))


def test_it_answers_an_alias_with_the_dated_model(simulator: Simulator) -> None:
    assert create(simulator).model == "gpt-4o-2024-08-06"


def test_it_lists_models(simulator: Simulator) -> None:
    assert "gpt-4o" in [model.id for model in openai_sdk(simulator).models.list()]


def test_it_knows_a_model(simulator: Simulator) -> None:
    assert openai_sdk(simulator).models.retrieve("gpt-4o").owned_by == "system"


def test_it_does_not_know_a_model_of_another_vendor(simulator: Simulator) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        openai_sdk(simulator).models.retrieve("claude-opus-5-5")
    assert caught.value.code == "model_not_found"


def test_it_refuses_to_answer_for_an_unknown_model(simulator: Simulator) -> None:
    assert refusal(simulator, model="no-such-model").code == "model_not_found"


def test_it_sends_a_request_id(simulator: Simulator) -> None:
    assert create(simulator)._request_id.startswith("req_")


def test_it_sends_a_request_id_with_an_error(simulator: Simulator) -> None:
    assert str(refusal(simulator, model="no-such-model").request_id).startswith("req_")


def test_it_refuses_an_unknown_role(simulator: Simulator) -> None:
    error = refusal(simulator, messages=[{"role": "robot", "content": "Hello"}])
    assert (error.status_code, error.param) == (400, "messages[0].role")


def test_it_refuses_an_empty_list(simulator: Simulator) -> None:
    assert refusal(simulator, messages=[]).code == "empty_array"


@pytest.mark.parametrize("model", ["o3", "gpt-5", "gpt-5-mini"])
def test_it_refuses_max_tokens_for_reasoning_models(simulator: Simulator, model: str) -> None:
    error = refusal(simulator, model=model, max_tokens=5)
    assert (error.code, error.param) == ("unsupported_parameter", "max_tokens")


def test_it_refuses_a_temperature_for_reasoning_models(simulator: Simulator) -> None:
    assert refusal(simulator, model="gpt-5", temperature=0.3).code == "unsupported_value"


def test_it_serves_reasoning_models_asked_as_they_want(simulator: Simulator) -> None:
    assert create(simulator, model="gpt-5", max_completion_tokens=5, temperature=1).choices


def test_it_puts_a_refusal_into_its_own_field(simulator: Simulator) -> None:
    simulator.script("openai", refusal="I will not.")
    message = create(simulator).choices[0].message
    assert (message.content, message.refusal) == (None, "I will not.")


def test_it_streams_a_refusal_in_its_own_field(simulator: Simulator) -> None:
    simulator.script("openai", refusal="I will not.")
    assert "I will not." in [chunk.choices[0].delta.refusal for chunk in create(simulator, stream=True)]


def test_it_ends_a_filtered_reply_with_content_filter(simulator: Simulator) -> None:
    simulator.script("openai", text="Some text", filtered=True)
    assert list(create(simulator, stream=True))[-1].choices[0].finish_reason == "content_filter"
