"""Servers of this folder: one per environment, shared by all its tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from providers.simulator import scripts
from providers.simulator import server as simulator_server
from tests.contract.client import Client, wait_for
from tests.services.server import LiveServer
from tests.simulator import Simulator

Serve = Callable[..., LiveServer]


@pytest.fixture(scope="module", autouse=True)
def quick_echoes() -> Iterator[None]:
    """Echoes come at once: their pace is for people who watch, and these tests are many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scripts, "ECHO_DELAY", 0)
        yield


@pytest.fixture(scope="package")
def serve() -> Iterator[Serve]:
    """The server with this environment, started when first asked for; its vendors are this process's simulator."""
    started: dict[tuple[tuple[str, str], ...], LiveServer] = {}
    vendors = Simulator(simulator_server.ensure_running()).env()

    def server(**variables: str) -> LiveServer:
        key = tuple(sorted(variables.items()))
        if key not in started:
            started[key] = LiveServer(**{**vendors, "RATE_LIMIT": "100000/h", **variables})
        return started[key]

    yield server
    for each in started.values():
        each.close()


@pytest.fixture
def client(server: LiveServer, simulator: Simulator) -> Iterator[Client]:
    """A client of the server that most tests share, whose vendors have forgotten everything."""
    client = Client(server.url)
    yield client
    client.close()


@pytest.fixture
def client_of(serve: Serve, simulator: Simulator) -> Iterator[Callable[..., Client]]:
    """Clients of servers with an environment of their own: `client_of(PROVIDER_TIMEOUT="1")`."""
    opened: list[Client] = []

    def client(**variables: str) -> Client:
        opened.append(Client(serve(**variables).url))
        return opened[-1]

    yield client
    for each in opened:
        each.close()


@pytest.fixture
def impatient(client_of: Callable[..., Client]) -> Client:
    """Of a server that waits 2 s for a vendor, all of whose SDKs are loaded; its default provider is gemini."""
    client = client_of(DEFAULT_PROVIDER="gemini", PROVIDER_TIMEOUT="2", PROVIDER_HEALTH_CACHE="0")
    for provider in ("gpt", "claude", "gemini"):
        wait_for(lambda name=provider: client.get(f"/health/{name}").json()["status"] == "OK", seconds=60)  # type: ignore[misc]
    return client


@pytest.fixture(params=["", "/api/v1"], ids=["root", "api-v1"])
def mounted(request: pytest.FixtureRequest, server: LiveServer, simulator: Simulator) -> Iterator[Client]:
    """A client of the same server at either place where the documents' routes are."""
    client = Client(server.url, prefix=request.param)
    yield client
    client.close()
