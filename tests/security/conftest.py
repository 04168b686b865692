"""A server that asks who calls, and who calls it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from providers.simulator import scripts
from providers.simulator import server as simulator_server
from tests.contract.client import Client
from tests.contract.people import People, people_of
from tests.security.asking import things_of
from tests.security.routes import Things
from tests.services.server import LiveServer
from tests.simulator import Simulator


@pytest.fixture(scope="session")
def people() -> Iterator[People]:
    vendors = Simulator(simulator_server.ensure_running()).env()
    server = LiveServer(**vendors, RATE_LIMIT="100000/h", AUTH_MODE="required", TRUSTED_PROXIES="127.0.0.1")
    yield people_of(server)
    server.close()


@pytest.fixture(scope="module", autouse=True)
def quick_echoes() -> Iterator[None]:
    """Echoes come at once: their pace is for people who watch."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scripts, "ECHO_DELAY", 0)
        yield


@pytest.fixture
def owner(people: People, simulator: Simulator) -> Client:
    return people.client("owner")


@pytest.fixture
def stranger(people: People) -> Client:
    return people.client("stranger")


@pytest.fixture
def theirs(owner: Client, simulator: Simulator) -> Things:
    return things_of(owner)
