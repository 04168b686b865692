"""The WebSocket: what is said elsewhere shows here."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from providers.simulator import server as simulator_server
from tests.contract.client import Client, new_id
from tests.contract.people import People, people_of
from tests.frontends.breaking import breaking
from tests.frontends.conftest import Node, next_line, said
from tests.services.server import LiveServer
from tests.simulator import Simulator

DONE = [["Hello", "complete"], ["Hello there.", "complete"]]


@pytest.fixture(autouse=True)
def brief(simulator: Simulator) -> None:
    simulator.script(text="Hello there.", delay=0.05)


@pytest.fixture(scope="module")
def people() -> Iterator[People]:
    vendors = Simulator(simulator_server.ensure_running()).env()
    server = LiveServer(**vendors, AUTH_MODE="required")
    yield people_of(server)
    server.close()


def until(process: subprocess.Popen[str], wanted: list[Any]) -> list[list[Any]]:
    """The states that it shows, up to this one."""
    seen = [next_line(process)]
    while seen[-1] != wanted:
        seen.append(next_line(process))
    return seen


def test_it_shows_what_is_said_elsewhere(client: Client, node: Node) -> None:
    conversation = new_id()
    mirroring = node("mirror.mjs", client.url, conversation)
    assert next_line(mirroring) == []
    client.events("Hello", conversation_id=conversation)
    seen = until(mirroring, DONE)
    assert [["Hello", "complete"], ["Hello", "streaming"]] in seen


def test_it_goes_on_after_a_lost_connection(client: Client, node: Node) -> None:
    conversation = new_id()
    with breaking(client.url, 500) as network:
        mirroring = node("mirror.mjs", network.url, conversation)
        assert next_line(mirroring) == []
        client.events("Hello", conversation_id=conversation)
        until(mirroring, DONE)
        client.events("And you?", conversation_id=conversation)
        until(mirroring, [*DONE, ["And you?", "complete"], ["Hello there.", "complete"]])
        assert network.lost == 1


def test_it_ends_when_it_is_told_to(client: Client, node: Node) -> None:
    mirroring = node("mirror.mjs", client.url, new_id())
    assert next_line(mirroring) == []
    mirroring.send_signal(signal.SIGUSR1)
    assert said(mirroring) == []


def test_it_shows_an_owner_her_own(people: People, node: Node) -> None:
    conversation = new_id()
    people.client("owner").events("Hello", conversation_id=conversation)
    own = node("mirror.mjs", people.server.url, conversation, people.tokens["owner"])
    other = node("mirror.mjs", people.server.url, conversation, people.tokens["stranger"])
    assert (next_line(own), next_line(other)) == (DONE, [])
