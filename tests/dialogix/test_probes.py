from __future__ import annotations

import httpx
import pytest

from tests.conftest import StartServer
from tests.services.server import LiveServer


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/livez/", "/readyz/"])
def test_it_answers(path: str, server: LiveServer) -> None:
    assert httpx.get(server.url + path).json() == {"status": "ok"}


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_it_answers_under_whatever_name_it_is_reached(path: str, server: LiveServer) -> None:
    assert httpx.get(server.url + path, headers={"Host": "10.0.0.1"}).status_code == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_it_takes_no_other_method(path: str, server: LiveServer) -> None:
    answer = httpx.post(server.url + path)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_it_is_not_ready_without_its_tables(start_server: StartServer) -> None:
    answer = httpx.get(f"{start_server(database='sqlite:////dev/null').url}/readyz")
    assert (answer.status_code, answer.json()["error"]) == (503, "Service unavailable")


def test_it_lives_without_a_database(start_server: StartServer) -> None:
    assert httpx.get(f"{start_server(database='sqlite:////dev/null').url}/livez").status_code == 200
