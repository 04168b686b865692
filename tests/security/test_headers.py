"""What every answer says to browsers and caches, and what it does not say about the server."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.contract.client import Client
from tests.contract.people import People
from tests.dialogix.sockets import exchange
from tests.schema.routes import Operation
from tests.security import routes
from tests.security.asking import ask
from tests.security.routes import NOWHERE, Things
from tests.security.wire import head
from tests.services.server import LiveServer

PAGES = ["/", "/sign-in/", "/api/docs/", "/admin/login/"]
ANSWERED = [each for each in routes.ROOT if not each[1].startswith(routes.SOCKETS)]
TELLING = re.compile(r"uvicorn|python|django|httptools|websockets|gunicorn|daphne", re.IGNORECASE)
REFUSED = {
    "what is not HTTP": b"\x16\x03\x01\r\n\r\n",
    "a large head": head("/health", "X-Big: " + "a" * 70_000),
    "a long address": head("/" + "a" * 20_000),
    "another host": head("/health", host="evil.example"),
    "another host's page": head("/admin/", host="evil.example"),
    "a method that is none": head("/health", method="BREW"),
    "a broken handshake": head("/ws/conversations/session-1/", "Connection: Upgrade", "Upgrade: websocket"),
}


@pytest.mark.parametrize("operation", ANSWERED, ids=" ".join)
def test_browsers_guess_no_type(operation: Operation, stranger: Client) -> None:
    assert ask(stranger, operation, NOWHERE).headers.get_list("X-Content-Type-Options") == ["nosniff"]


@pytest.mark.parametrize("operation", ANSWERED, ids=" ".join)
def test_no_answer_names_what_serves_it(operation: Operation, stranger: Client) -> None:
    answer = ask(stranger, operation, NOWHERE)
    assert "Server" not in answer.headers
    assert "X-Powered-By" not in answer.headers
    assert TELLING.search(str(answer.headers)) is None


@pytest.mark.parametrize("name", REFUSED)
def test_no_refusal_names_what_serves_it(name: str, server: LiveServer) -> None:
    answer = exchange(server, REFUSED[name])
    assert answer.startswith(b"HTTP/1.1 4")
    assert TELLING.search(answer.decode("latin-1")) is None


@pytest.mark.parametrize("operation", routes.GUARDED, ids=" ".join)
def test_no_cache_on_the_way_keeps_what_is_somebodys(operation: Operation, owner: Client, theirs: Things) -> None:
    """An answer that says nothing about it may be kept by whoever passes it on (RFC 9111, section 4.2.2)."""
    told = ask(owner, operation, theirs).headers.get("Cache-Control", "")
    assert {"private", "no-store", "no-cache"} & set(told.split(", "))


@pytest.mark.parametrize("operation", routes.GUARDED, ids=" ".join)
def test_no_cache_on_the_way_keeps_a_refusal(operation: Operation, people: People) -> None:
    told = ask(Client(people.server.url), operation, NOWHERE).headers.get("Cache-Control", "")
    assert {"private", "no-store", "no-cache"} & set(told.split(", "))


@pytest.mark.parametrize("name", [name for name in REFUSED if "handshake" not in name])
def test_browsers_guess_no_type_of_a_refusal(name: str, server: LiveServer) -> None:
    assert b"nosniff" in exchange(server, REFUSED[name])


@pytest.mark.parametrize("path", PAGES)
def test_no_page_is_shown_in_another_ones_frame(path: str, server: LiveServer) -> None:
    answer = httpx.get(server.url + path, trust_env=False)
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", PAGES)
def test_pages_load_nothing_from_elsewhere(path: str, server: LiveServer) -> None:
    policy = httpx.get(server.url + path, trust_env=False).headers["Content-Security-Policy"]
    sources = {source for directive in policy.split(";") for source in directive.split()[1:]}
    assert sources <= {"'none'", "'self'", "data:", "'unsafe-inline'", "'unsafe-eval'"}


@pytest.mark.parametrize("path", ["/", "/sign-in/"])
def test_our_own_pages_run_no_script_in_the_page(path: str, server: LiveServer) -> None:
    policy = httpx.get(server.url + path, trust_env=False).headers["Content-Security-Policy"]
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", PAGES)
def test_pages_tell_other_sites_nothing_of_where_one_was(path: str, server: LiveServer) -> None:
    answer = httpx.get(server.url + path, trust_env=False)
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"


ORIGINS = ["null", "http://evil.example", "http://localhost:5000.evil.example", "*", "http://localhost:5001"]


@pytest.mark.parametrize("origin", ORIGINS)
def test_scripts_of_other_origins_read_nothing(origin: str, stranger: Client) -> None:
    for operation in ANSWERED:
        answers = [ask(stranger, operation, NOWHERE, Origin=origin), preflight(stranger, operation, origin)]
        assert not any("Access-Control-Allow-Origin" in answer.headers for answer in answers), operation


def preflight(client: Client, operation: Operation, origin: str) -> httpx.Response:
    method, path = operation
    headers = {"Origin": origin, "Access-Control-Request-Method": method}
    return client.http.options(NOWHERE.path(path), headers=headers)


@pytest.mark.parametrize("path", ["/admin/login/", "/admin/"])
def test_not_even_the_frontend_reads_the_admin(path: str, server: LiveServer) -> None:
    answer = httpx.get(server.url + path, headers={"Origin": "http://localhost:5000"}, trust_env=False)
    assert "Access-Control-Allow-Origin" not in answer.headers
