"""What clients hear of a server that has nothing to say for a long time: one silence, for all the tests about it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from providers.simulator import server as simulator_server
from tests.contract import events
from tests.contract.client import Client, new_id
from tests.contract.events import Event
from tests.services.server import LiveServer
from tests.simulator import Simulator

SILENCE = 17.0


@dataclass(frozen=True)
class Heard:
    """answered: seconds until the status came; events: with the seconds until each"""

    answered: float
    events: list[tuple[float, Event]]

    @property
    def comments(self) -> list[float]:
        return [seconds for seconds, event in self.events if event.comment is not None]

    @property
    def text(self) -> str:
        return events.text_of([event for _, event in self.events])


@pytest.fixture(scope="module")
def heard(server: LiveServer) -> Iterator[tuple[Heard, Heard]]:
    """Of a reply that falls silent after its first words, and of one that waits for it."""
    simulator = Simulator(simulator_server.ensure_running())
    simulator.clear()
    simulator.script("openai", chunks=["One", " moment"], delay=SILENCE, times=1)
    simulator.script("openai", text="At last")
    conversation = new_id()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(listen, Client(server.url), "first", conversation)
        time.sleep(0.5)  # the other one comes later
        second = pool.submit(listen, Client(server.url), "second", conversation)
        yield first.result(), second.result()


def listen(client: Client, text: str, conversation: str) -> Heard:
    began = time.monotonic()
    with client.stream(text, conversation_id=conversation) as stream:
        answered = time.monotonic() - began
        return Heard(answered, [(time.monotonic() - began, event) for event in stream])


def test_a_comment_comes_every_15_seconds(heard: tuple[Heard, Heard]) -> None:
    [beat] = heard[0].comments
    said = heard[0].events[0][0]
    assert 14 < beat - said < SILENCE


def test_the_comment_is_no_part_of_the_text(heard: tuple[Heard, Heard]) -> None:
    assert heard[0].text == "One moment"


def test_a_stream_that_waits_is_answered_after_15_seconds(heard: tuple[Heard, Heard]) -> None:
    assert 14 < heard[1].answered < SILENCE


def test_it_then_gets_its_reply(heard: tuple[Heard, Heard]) -> None:
    assert heard[1].text == "At last"
