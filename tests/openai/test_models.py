"""Which models there are."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from tests.conftest import StartServer
from tests.openai.conftest import sdk_of
from tests.simulator import Simulator

HELLO: list[Any] = [{"role": "user", "content": "Hello"}]


def test_it_lists_default_and_fallback_of_every_provider(sdk: openai.OpenAI) -> None:
    owners = [model.owned_by for model in sdk.models.list()]
    assert sorted(owners) == sorted(["openai", "anthropic", "gemini"] * 2)


def test_it_retrieves_every_model_of_the_list(sdk: openai.OpenAI) -> None:
    models = list(sdk.models.list())
    assert [sdk.models.retrieve(model.id) for model in models] == models


def test_it_knows_no_other_model(sdk: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        sdk.models.retrieve("gpt-2")
    assert caught.value.code == "model_not_found"


@pytest.mark.parametrize("stream", [False, True])
def test_it_refuses_to_answer_with_another_model(sdk: openai.OpenAI, simulator: Simulator, stream: bool) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        sdk.chat.completions.create(model="gpt-2", messages=HELLO, stream=stream)
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    assert simulator.chats() == []


def test_it_knows_models_with_slashes_and_colons(start_server: StartServer, simulator: Simulator) -> None:
    names = {"OPENAI_MODEL_DEFAULT": "org/model-7b", "OPENAI_MODEL_FALLBACK": "llama3:8b"}
    with sdk_of(start_server(**{**simulator.env(), **names})) as sdk:
        assert sdk.models.retrieve("org/model-7b").id == "org/model-7b"
        simulator.script(text="Hello there.")
        assert sdk.chat.completions.create(model="llama3:8b", messages=HELLO).model == "llama3:8b"


def test_it_lists_configured_providers_only(start_server: StartServer, simulator: Simulator) -> None:
    variables = {name: value for name, value in simulator.env().items() if name.startswith("ANTHROPIC")}
    with sdk_of(start_server(**variables)) as sdk:
        assert {model.owned_by for model in sdk.models.list()} == {"anthropic"}
        with pytest.raises(openai.NotFoundError):
            sdk.chat.completions.create(model="gpt-4o", messages=HELLO)
