"""Whoever reaches the server may read how to speak to it, without any other host."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.services.server import LiveServer

ADDRESSES = re.compile(r"""(?:src|href|data-schema|action)=["']([^"']*)["']""")
OUTSIDE = re.compile(r"^(?:[a-z]+:)?//")


@pytest.fixture(params=["open", "required"])
def url(request: pytest.FixtureRequest) -> str:
    """Of a server in that mode."""
    found: LiveServer = request.getfixturevalue("server" if request.param == "open" else "asking")
    return found.url


@pytest.mark.parametrize("slash", ["", "/"])
def test_it_serves_the_description_to_anybody(url: str, slash: str) -> None:
    answer = httpx.get(f"{url}/api/schema{slash}", trust_env=False)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/vnd.oai.openapi+json"
    assert answer.json()["openapi"].startswith("3.1")


def test_it_does_not_send_the_description_again(url: str) -> None:
    etag = httpx.get(f"{url}/api/schema/", trust_env=False).headers["ETag"]
    answer = httpx.get(f"{url}/api/schema/", headers={"If-None-Match": etag}, trust_env=False)
    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.parametrize("slash", ["", "/"])
def test_it_serves_the_page_to_anybody(url: str, slash: str) -> None:
    answer = httpx.get(f"{url}/api/docs{slash}", trust_env=False)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")


def test_it_loads_the_page_from_itself_alone(url: str) -> None:
    addresses = ADDRESSES.findall(httpx.get(f"{url}/api/docs/", trust_env=False).text)
    assert len(addresses) >= 4
    assert [each for each in addresses if OUTSIDE.match(each)] == []


def test_it_serves_what_the_page_loads(url: str) -> None:
    page = httpx.get(f"{url}/api/docs/", trust_env=False).text
    answers = [httpx.get(url + address, trust_env=False) for address in ADDRESSES.findall(page)]
    assert {answer.status_code for answer in answers} == {200}


def test_it_lets_the_page_load_nothing_else(url: str) -> None:
    policy = httpx.get(f"{url}/api/docs/", trust_env=False).headers["Content-Security-Policy"]
    sources = {source for directive in policy.split(";") for source in directive.split()[1:]}
    assert sources <= {"'self'", "'none'", "'unsafe-inline'", "data:"}
    assert policy.startswith("default-src 'none'")


def test_it_keeps_shared_parts_to_itself(url: str) -> None:
    described = httpx.get(f"{url}/api/schema/", trust_env=False).json()
    assert [name for name in described if name.startswith("x-")] == []
