from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conversations.commands.terminal import piped, terminal
from tests.services import databases
from tests.simulator import Simulator


@pytest.fixture
def variables(simulator: Simulator) -> Iterator[dict[str, str]]:
    """The environment of a server with a database of its own."""
    url = databases.fresh()
    yield {**simulator.env(), "DATABASE_URL": url}
    databases.drop(url)


def stored(variables: dict[str, str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in piped("export_conversations", **variables).stdout.splitlines()]


def test_it_shows_a_reply_as_it_comes(variables: dict[str, str], simulator: Simulator) -> None:
    simulator.script("openai", chunks=("Once", " upon"), delay=30)
    with terminal("chat", **variables) as opened:
        opened.read("> ")
        opened.type("Tell\n")
        assert "Once" in opened.read("Once")


def test_it_stops_a_reply_with_ctrl_c(variables: dict[str, str], simulator: Simulator) -> None:
    simulator.script("openai", chunks=("Once", " upon"), delay=30)
    with terminal("chat", **variables) as opened:
        opened.read("> ")
        opened.type("Tell\n")
        opened.read("Once")
        opened.interrupt()
        opened.read("stopped")
        opened.leave()
    reply = stored(variables)[0]["messages"][1]
    assert (reply["status"], reply["content"]) == ("cancelled", "Once")


def test_it_goes_on_after_a_reply_was_stopped(variables: dict[str, str], simulator: Simulator) -> None:
    simulator.script("openai", chunks=("Once", " upon"), delay=30, times=1)
    with terminal("chat", **variables) as opened:
        opened.read("> ")
        opened.type("Tell\n")
        opened.read("Once")
        opened.interrupt()
        opened.read("stopped")
        opened.type("And now\n")
        assert "You said: And now" in opened.read("You said: And now").replace("\r\n", " ")


def test_it_leaves_with_ctrl_d(variables: dict[str, str]) -> None:
    with terminal("chat", **variables) as opened:
        opened.read("> ")
        assert opened.leave() == 0


def test_it_does_not_leave_with_ctrl_c(variables: dict[str, str]) -> None:
    with terminal("chat", **variables) as opened:
        opened.read("> ")
        time.sleep(0.5)  # readline shows its prompt a moment before it listens; no person is as quick
        opened.interrupt()
        opened.read("Ctrl-D leaves the conversation.\r\n\r\n> ")
        assert opened.leave() == 0


def test_it_says_how_to_go_on(variables: dict[str, str]) -> None:
    with terminal("chat", **variables) as opened:
        opened.read("> ")
        opened.type("Hello\n")
        opened.read("tokens")
        opened.leave()
    assert "Go on with: manage.py chat session-" in opened.shown


def test_it_shows_what_was_said_before(variables: dict[str, str]) -> None:
    piped("chat", given="One\n", **variables)
    with terminal("chat", stored(variables)[0]["conversation"]["conversation_id"], **variables) as opened:
        assert "You said: One" in opened.read("You said: One")


def test_it_lets_no_reply_move_the_cursor(variables: dict[str, str], simulator: Simulator) -> None:
    simulator.script("openai", text="a\x1b]0;title\x07b\x9b2Jc")
    with terminal("chat", **variables) as opened:
        opened.read("> ")
        opened.type("Hello\n")
        assert "a]0;titleb2Jc" in opened.read("tokens")


def test_it_says_who_answered_instead(variables: dict[str, str], simulator: Simulator) -> None:
    simulator.script("openai", "gpt-4o", status=503)
    with terminal("chat", **variables) as opened:
        opened.read("> ")
        opened.type("Hello\n")
        assert "gpt-4o-mini · gpt-4o did not" in opened.read("tokens")
