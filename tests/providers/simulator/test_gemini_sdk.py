"""Google's SDK against the simulator."""

from __future__ import annotations

from typing import Any

import pytest
from google.genai import errors, types

from tests.providers.simulator.sdks import gemini_sdk
from tests.simulator import Simulator

MODEL = "gemini-2.0-flash"


def generate(simulator: Simulator, contents: Any = "Hello", *, model: str = MODEL) -> types.GenerateContentResponse:
    return gemini_sdk(simulator).models.generate_content(model=model, contents=contents)


def stream(simulator: Simulator) -> list[types.GenerateContentResponse]:
    return list(gemini_sdk(simulator).models.generate_content_stream(model=MODEL, contents="Hello"))


def refusal(simulator: Simulator, contents: Any = "Hello", *, model: str = MODEL) -> errors.ClientError:
    with pytest.raises(errors.ClientError) as caught:
        generate(simulator, contents, model=model)
    return caught.value


def said(*texts: str, role: str = "user") -> types.Content:
    return types.Content(role=role, parts=[types.Part(text=text) for text in texts])


def test_it_answers_with_usage_and_the_model(simulator: Simulator) -> None:
    simulator.script("gemini", text="Hi", input_tokens=3, output_tokens=4)
    response = generate(simulator)
    assert response.usage_metadata is not None
    assert (response.usage_metadata.prompt_token_count, response.usage_metadata.total_token_count) == (3, 7)
    assert (response.text, response.model_version) == ("Hi", MODEL)


def test_it_ends_with_the_vendors_word(simulator: Simulator) -> None:
    candidates = generate(simulator).candidates
    assert candidates is not None
    assert candidates[0].finish_reason is types.FinishReason.STOP


def test_it_streams_usage_in_the_last_chunk_alone(simulator: Simulator) -> None:
    counted = [response.usage_metadata is not None for response in stream(simulator)]
    assert counted == [False] * (len(counted) - 1) + [True]


def test_it_streams_one_response(simulator: Simulator) -> None:
    assert len({response.response_id for response in stream(simulator)}) == 1


def test_it_lists_models(simulator: Simulator) -> None:
    assert f"models/{MODEL}" in [model.name for model in gemini_sdk(simulator).models.list()]


def test_it_knows_a_model(simulator: Simulator) -> None:
    assert gemini_sdk(simulator).models.get(model=MODEL).supported_actions == ["generateContent", "countTokens"]


def test_it_does_not_know_a_model_of_another_vendor(simulator: Simulator) -> None:
    with pytest.raises(errors.ClientError) as caught:
        gemini_sdk(simulator).models.get(model="gpt-4o")
    assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")


def test_it_refuses_to_answer_for_an_unknown_model(simulator: Simulator) -> None:
    assert refusal(simulator, model="no-such-model").code == 404


def test_it_refuses_a_model_to_speak_first(simulator: Simulator) -> None:
    assert "start with a user turn" in str(refusal(simulator, [said("Hi", role="model"), said("Hello")]))


def test_it_refuses_an_unknown_role(simulator: Simulator) -> None:
    assert "valid role: user, model" in str(refusal(simulator, [said("Hello"), said("Hi", role="assistant")]))


def test_it_refuses_an_empty_part(simulator: Simulator) -> None:
    assert "required oneof field" in str(refusal(simulator, [said("Hello", "")]))


def test_it_refuses_content_without_parts(simulator: Simulator) -> None:
    assert "must not be empty" in str(refusal(simulator, [said()]))


def test_it_ends_a_filtered_reply_with_safety(simulator: Simulator) -> None:
    simulator.script("gemini", text="Some text", filtered=True)
    candidates = stream(simulator)[-1].candidates
    assert candidates is not None
    assert candidates[0].finish_reason is types.FinishReason.SAFETY


def test_it_says_why_a_filtered_reply_has_no_text(simulator: Simulator) -> None:
    simulator.script("gemini", text="", filtered=True)
    response = generate(simulator)
    assert response.candidates is None
    assert response.prompt_feedback is not None
    assert response.prompt_feedback.block_reason is types.BlockedReason.SAFETY


def test_it_refuses_a_field_it_does_not_know(simulator: Simulator) -> None:
    options = types.HttpOptions(extra_body={"messages": []})
    with pytest.raises(errors.ClientError, match="Unknown name"):
        gemini_sdk(simulator).models.generate_content(
            model=MODEL, contents="Hello", config=types.GenerateContentConfig(http_options=options)
        )
