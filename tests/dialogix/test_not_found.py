"""What is answered where there is nothing, or nothing for that host: JSON, never a page."""

from __future__ import annotations

import httpx
import pytest

from tests.services.server import LiveServer


@pytest.mark.parametrize("path", ["/nothing", "/api/v1/nothing", "/api/v1", "/static/nothing", "/conversation/other"])
def test_it_says_so_in_json(path: str, server: LiveServer) -> None:
    answer = httpx.get(server.url + path)
    assert (answer.status_code, set(answer.json())) == (404, {"error", "details"})


@pytest.mark.parametrize("path", ["/nothing", "/health", "/chat/completions"])
def test_it_refuses_another_host_in_json(path: str, server: LiveServer) -> None:
    answer = httpx.get(server.url + path, headers={"Host": "evil.example"})
    assert (answer.status_code, set(answer.json())) == (400, {"error", "details"})


def test_it_shows_people_in_the_admin_a_page(server: LiveServer) -> None:
    answer = httpx.get(f"{server.url}/admin/nothing/", follow_redirects=True)
    assert answer.headers["content-type"].startswith("text/html")
