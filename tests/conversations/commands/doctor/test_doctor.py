from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import StartServer
from tests.conversations.commands.doctor.buffering import breaking_proxy, buffering_proxy
from tests.conversations.commands.terminal import piped
from tests.services import databases
from tests.services.server import LiveServer
from tests.simulator import Simulator


@pytest.fixture
def variables(simulator: Simulator) -> Iterator[dict[str, str]]:
    url = databases.fresh()
    yield {**simulator.env(), "DATABASE_URL": url}
    databases.drop(url)


def examined(*arguments: str, **variables: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(piped("doctor", "--json", *arguments, **variables).stdout)
    return found


def about(subject: str, found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["level"], each["text"]) for each in found["findings"] if each["subject"] == subject]


def proxied(server: LiveServer, url: str, **variables: str) -> tuple[str, str]:
    """What is told of the way to a server."""
    return about("proxy", examined("--url", url, DATABASE_URL=server.database_url, **variables))[0]


def test_it_finds_a_database_that_is_away(variables: dict[str, str]) -> None:
    found = examined(**{**variables, "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing"})
    assert [level for level, _ in about("database", found)] == ["problem"]


def test_it_finds_migrations_to_be_applied(variables: dict[str, str], tmp_path: Any) -> None:
    found = examined(**{**variables, "DATABASE_URL": f"sqlite:///{tmp_path}/new.sqlite3"})
    assert about("migrations", found)[0][0] == "problem"


def test_it_finds_that_events_come_as_they_are_sent(server: LiveServer) -> None:
    assert proxied(server, server.url)[0] == "ok"


def test_it_finds_that_events_are_held_back(server: LiveServer) -> None:
    with buffering_proxy(server.url) as url:
        level, text = proxied(server, url)
    assert (level, text.startswith("Events sent over")) == ("problem", True)


def test_it_finds_that_a_stream_breaks_off(server: LiveServer) -> None:
    with breaking_proxy(server.url, lines=4) as url:
        level, text = proxied(server, url)
    assert (level, text.startswith("The stream broke off after")) == ("problem", True)


def test_it_finds_a_host_that_is_not_allowed(start_server: StartServer) -> None:
    server = start_server(ALLOWED_HOSTS="chat.example.org")
    (finding,) = [
        each
        for each in examined("--url", server.url, DATABASE_URL=server.database_url)["findings"]
        if each["subject"] == "proxy"
    ]
    assert (finding["level"], "ALLOWED_HOSTS" in finding["mend"]) == ("problem", True)


def test_it_comes_in_where_a_token_is_needed(start_server: StartServer) -> None:
    server = start_server(AUTH_MODE="required")
    assert proxied(server, server.url, AUTH_MODE="required")[0] == "ok"


def test_it_leaves_nothing_behind(start_server: StartServer) -> None:
    server = start_server(AUTH_MODE="required")
    proxied(server, server.url, AUTH_MODE="required")
    assert piped("export_conversations", DATABASE_URL=server.database_url).stdout == ""


def test_it_finds_another_server_at_the_address(server: LiveServer, variables: dict[str, str]) -> None:
    level, text = about("proxy", examined("--url", server.url, **variables))[0]
    assert (level, "does not know the reply" in text) == ("problem", True)


def test_it_finds_nobody_at_the_address(variables: dict[str, str]) -> None:
    level, text = about("proxy", examined("--url", "http://127.0.0.1:1", **variables))[0]
    assert (level, "cannot be reached" in text) == ("problem", True)


def test_it_takes_no_address_that_is_none(variables: dict[str, str]) -> None:
    assert piped("doctor", "--url", "chat.example.org", **variables).returncode == 1
