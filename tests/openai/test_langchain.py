"""LangChain's client of OpenAI, with another base URL."""

from __future__ import annotations

import pytest
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from tests.services.server import LiveServer
from tests.simulator import Simulator

MESSAGES = [SystemMessage("Be brief."), HumanMessage("Hello")]


@pytest.fixture
def model(server: LiveServer, simulator: Simulator) -> ChatOpenAI:
    simulator.script(text="Hello there.", input_tokens=12, output_tokens=34)
    return ChatOpenAI(base_url=f"{server.url}/v1", api_key=SecretStr("any"), model="gpt-4o", temperature=0.7)


def test_it_answers(model: ChatOpenAI, simulator: Simulator) -> None:
    answer = model.invoke(MESSAGES)
    assert answer.content == "Hello there."
    assert answer.response_metadata["finish_reason"] == "stop"
    assert simulator.last()["body"]["temperature"] == 0.7
    assert simulator.last()["body"]["messages"][0] == {"role": "system", "content": "Be brief."}


def test_it_streams(model: ChatOpenAI) -> None:
    chunks = list(model.stream(MESSAGES))
    assert "".join(str(chunk.content) for chunk in chunks) == "Hello there."
    assert len(chunks) > 1


def test_it_tells_what_was_used(model: ChatOpenAI) -> None:
    usage = model.invoke(MESSAGES).usage_metadata
    assert usage is not None
    assert (usage["input_tokens"], usage["output_tokens"]) == (12, 34)


async def test_it_streams_asynchronously(model: ChatOpenAI) -> None:
    assert "".join([str(chunk.content) async for chunk in model.astream(MESSAGES)]) == "Hello there."
