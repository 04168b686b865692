"""A server that asks who calls, an owner, and a conversation of hers for every test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from providers.simulator import server as simulator_server
from tests.contract.client import Client, new_id
from tests.contract.people import people_of
from tests.services.server import LiveServer
from tests.simulator import Simulator


@dataclass(frozen=True)
class Place:
    """Where requests of one test go. conversation, user, assistant: ids of what is there"""

    client: Client
    conversation: str
    user: str
    assistant: str

    def path_parameters(self, path: str, operation: str) -> dict[str, str]:
        """What the path's names stand for, so that something is found there."""
        message = self.user if operation == "edit" else self.assistant
        known = {"conversation_id": self.conversation, "message_id": message, "provider": "gpt", "model": "gpt-4o"}
        return {name: value for name, value in known.items() if f"{{{name}}}" in path}

    @property
    def url(self) -> str:
        return self.client.url

    @property
    def authorization(self) -> dict[str, str]:
        return {"Authorization": self.client.http.headers["Authorization"]}


@pytest.fixture(scope="module")
def asking() -> Iterator[LiveServer]:
    vendors = Simulator(simulator_server.ensure_running()).env()
    server = LiveServer(**vendors, RATE_LIMIT="100000/h", AUTH_MODE="required")
    server.wait_until_ready()
    yield server
    server.close()


@pytest.fixture(scope="module")
def owner(asking: LiveServer) -> Client:
    return people_of(asking).client("owner")


@pytest.fixture
def place(owner: Client, simulator: Simulator) -> Place:
    simulator.script(text="Hello there.")
    conversation = new_id()
    owner.complete("Hello", conversation_id=conversation)
    user, assistant = owner.history(conversation)
    return Place(owner, conversation, user["id"], assistant["id"])
