"""OpenAI's SDKs in Python and JavaScript, and one that is built on its wire."""

from __future__ import annotations

import pytest

from tests.contract.client import Client, new_id
from tests.frontends.conftest import Node, python_piece, said
from tests.simulator import Simulator


def test_it_asks_in_python(client: Client, simulator: Simulator, capsys: pytest.CaptureFixture[str]) -> None:
    simulator.script(text="Hello there.")
    conversation = new_id()
    assert python_piece("sdk.py")["ask"](client.url, conversation, "Hello") == "Hello there."
    assert capsys.readouterr().out == "Hello there."
    assert client.texts(conversation) == ["Hello", "Hello there."]


def test_it_asks_in_javascript(client: Client, node: Node, simulator: Simulator) -> None:
    simulator.script(text="Hello there.")
    conversation = new_id()
    assert said(node("sdk.mjs", client.url, conversation)) == ["Hello there."]
    assert client.texts(conversation) == ["Hello", "Hello there."]


def test_it_serves_vercels_ai_sdk(client: Client, node: Node, simulator: Simulator) -> None:
    simulator.script(text="Hello there.", input_tokens=12, output_tokens=34)
    assert said(node("vercel.mjs", client.url)) == [["Hello there.", "stop", 46]]
    assert simulator.last()["body"]["messages"][0] == {"role": "system", "content": "Be brief."}
