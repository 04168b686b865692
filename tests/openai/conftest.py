"""OpenAI's own SDK, as its users have it: nothing changed but the base URL."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import openai
import pytest

from providers.simulator import server as simulator_server
from tests.contract.client import Client
from tests.contract.people import People, people_of
from tests.services.server import LiveServer
from tests.simulator import Simulator

Sdk = Callable[..., openai.OpenAI]


def sdk_of(server: LiveServer, **options: object) -> openai.OpenAI:
    settings: dict[str, object] = {"api_key": "any", "max_retries": 0, "timeout": 20.0, **options}
    return openai.OpenAI(base_url=f"{server.url}/v1", **settings)  # type: ignore[arg-type]


@pytest.fixture
def sdk(server: LiveServer, simulator: Simulator) -> Iterator[openai.OpenAI]:
    """Of the server that most tests share, whose vendors have forgotten everything."""
    with sdk_of(server) as sdk:
        yield sdk


@pytest.fixture
def chat(server: LiveServer) -> Iterator[Client]:
    """A client of the documents' routes of the same server."""
    client = Client(server.url)
    yield client
    client.close()


@pytest.fixture(scope="module")
def people() -> Iterator[People]:
    """A server that asks who calls, and who may."""
    server = LiveServer(
        **Simulator(simulator_server.ensure_running()).env(), RATE_LIMIT="100000/h", AUTH_MODE="required"
    )
    yield people_of(server)
    server.close()
