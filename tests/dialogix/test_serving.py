"""How a server of its own process behaves."""

from __future__ import annotations

import httpx

from tests.conftest import StartServer
from tests.services.server import LiveServer


def test_it_answers_livez(server: LiveServer) -> None:
    assert httpx.get(f"{server.url}/livez").json() == {"status": "ok"}


def test_it_answers_readyz_once_the_database_does(server: LiveServer) -> None:
    assert httpx.get(f"{server.url}/readyz").json() == {"status": "ok"}


def test_it_ends_with_success_when_told_to_stop(start_server: StartServer) -> None:
    assert start_server().stop() == 0
