"""A message and its reply, whatever happens to the connection: `fetch`, React Native and httpx-sse."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import StartServer
from tests.contract.client import Client, new_id
from tests.frontends.breaking import breaking
from tests.frontends.conftest import Node, next_line, said
from tests.services import environment
from tests.simulator import Simulator

Ask = Callable[[str, str], "subprocess.Popen[str]"]
"""Starts asking a server, in a conversation."""

TEXT = "Grüße an 🙂 alle, die auf die Bahn warten. " * 8
LOST_WITHIN = 900
"""Bytes of an answer: its headers, and some events."""


@pytest.fixture(params=["fetch", "native", "python"])
def ask(request: pytest.FixtureRequest, node: Node) -> Ask:
    def start(server: str, conversation: str) -> subprocess.Popen[str]:
        if request.param == "fetch":
            return node("ask.mjs", "chat.js", server, conversation)
        if request.param == "native":
            return node("native.mjs", server, conversation, new_id())
        return request.getfixturevalue("python")(server, conversation)

    return start


def test_it_shows_the_reply(ask: Ask, client: Client, simulator: Simulator) -> None:
    simulator.script(text=TEXT, delay=0.005)
    *texts, end = said(ask(client.url, new_id()))
    assert ("".join(texts), end) == (TEXT, None)


def test_it_shows_the_reply_as_it_comes(ask: Ask, client: Client, simulator: Simulator) -> None:
    simulator.script(chunks=["Wait", "ing"], delay=3600)
    conversation = new_id()
    assert next_line(ask(client.url, conversation)) == "Wait"
    assert client.history(conversation)[-1]["status"] == "streaming"


@pytest.mark.parametrize("losses", [[LOST_WITHIN], [LOST_WITHIN, LOST_WITHIN, 5]], ids=["once", "again"])
def test_it_goes_on_after_a_lost_connection(ask: Ask, client: Client, simulator: Simulator, losses: list[int]) -> None:
    simulator.script(text=TEXT, delay=0.02)
    conversation = new_id()
    with breaking(client.url, *losses) as network:
        *texts, end = said(ask(network.url, conversation))
    assert ("".join(texts), end) == (TEXT, None)
    assert network.lost == len(losses)
    assert client.texts(conversation) == ["Hello", TEXT]


def test_it_asks_once_where_the_answer_never_came(ask: Ask, client: Client, simulator: Simulator) -> None:
    simulator.script(text=TEXT, delay=0.01)
    conversation = new_id()
    with breaking(client.url, 1) as network:
        *texts, end = said(ask(network.url, conversation))
    assert ("".join(texts), end) == (TEXT, None)
    assert (network.lost, len(simulator.chats())) == (1, 1)
    assert client.texts(conversation) == ["Hello", TEXT]


def test_it_stops_the_reply(ask: Ask, client: Client, simulator: Simulator) -> None:
    simulator.script(chunks=1000, delay=0.02)
    conversation = new_id()
    asking = ask(client.url, conversation)
    next_line(asking)
    asking.send_signal(signal.SIGUSR1)
    assert said(asking)[-1] is None
    assert client.history(conversation)[-1]["status"] == "cancelled"
    assert simulator.wait()["state"] == "client_closed"


def test_it_tells_why_a_reply_ends_early(ask: Ask, client: Client, simulator: Simulator) -> None:
    simulator.script(chunks=6, delay=0.02, fault="error", after=3)
    conversation = new_id()
    *texts, end = said(ask(client.url, conversation))
    reply = client.history(conversation)[-1]
    assert ("".join(texts), end) == (reply["content"], {"error": reply["error"]})


def test_it_tells_why_there_is_no_reply(ask: Ask, client: Client) -> None:
    (end,) = said(ask(client.url, "-no-id"))
    assert end["error"].startswith("conversation_id must be")


def test_it_keeps_trying_while_the_server_is_away(ask: Ask, start_server: StartServer, simulator: Simulator) -> None:
    simulator.script(text=TEXT)
    server = start_server(**simulator.env("openai"))
    server.stop()
    asking = ask(server.url, new_id())
    server.start()
    *texts, end = said(asking)
    assert ("".join(texts), end) == (TEXT, None)


def test_it_follows_on_a_new_connection_when_the_app_is_back(node: Node, client: Client, simulator: Simulator) -> None:
    simulator.script(text=TEXT, delay=0.02)
    asking = node("native.mjs", client.url, new_id(), new_id())
    first = next_line(asking)
    asking.send_signal(signal.SIGUSR2)
    *texts, end = said(asking)
    assert (first + "".join(texts), end) == (TEXT, None)


@pytest.fixture
def python(folder: Any) -> Any:
    started: list[subprocess.Popen[str]] = []

    def start(server: str, conversation: str) -> subprocess.Popen[str]:
        command = [sys.executable, "ask.py", server, conversation]
        variables = environment.for_process(PYTHONPATH=str(folder))
        started.append(subprocess.Popen(command, cwd=folder, env=variables, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for each in started:
        each.kill()
        each.wait()
        assert each.stdout is not None
        each.stdout.close()
