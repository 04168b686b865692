"""Where nothing is configured the simulator answers, and every reply says so."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.services.server import LiveServer
from tests.simulator import Simulator


@pytest.fixture(scope="module")
def unconfigured() -> Iterator[LiveServer]:
    server = LiveServer()
    yield server
    server.close()


@pytest.mark.parametrize("provider", ["gpt", "claude", "gemini"])
def test_it_says_so_in_its_text_and_in_a_header(unconfigured: LiveServer, provider: str) -> None:
    body = {"messages": [{"role": "user", "content": "Hello"}]}
    answer = httpx.post(f"{unconfigured.url}/chat/{provider}", json=body, timeout=30)
    assert answer.headers["x-dialogix-simulator"] == "true"
    assert "simulator" in answer.text


def test_it_says_so_with_a_whole_reply(unconfigured: LiveServer) -> None:
    answer = httpx.post(f"{unconfigured.url}/chat/completions", json={"message": "Hello"}, timeout=30)
    assert answer.headers["x-dialogix-simulator"] == "true"
    assert "simulator" in answer.json()["message"]


def test_a_configured_provider_says_nothing_of_it(server: LiveServer, simulator: Simulator) -> None:
    answer = httpx.post(f"{server.url}/chat/completions", json={"message": "Hello"}, timeout=30)
    assert "x-dialogix-simulator" not in answer.headers
