from __future__ import annotations

import httpx
import pytest

from tests.dialogix.gate import ask, broken, hello
from tests.services.server import LiveServer


@pytest.mark.parametrize("given", ["a", "A-Z.a_z-09", "x" * 128])
def test_it_keeps_a_good_one(given: str) -> None:
    assert ask(hello, x_request_id=given).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "x" * 129, "two words", "a/b", "é", "a\n"])
def test_it_makes_one_in_the_place_of_a_bad_one(given: str) -> None:
    made = ask(hello, x_request_id=given).headers["x-request-id"]
    assert len(made) == 32


def test_it_makes_each_one_once() -> None:
    assert ask(hello).headers["x-request-id"] != ask(hello).headers["x-request-id"]


def test_it_is_on_an_answer_to_what_broke() -> None:
    assert ask(broken, x_request_id="mine").headers["x-request-id"] == "mine"


def test_the_application_finds_it() -> None:
    assert ask(hello, x_request_id="mine").scope["request_id"] == "mine"


@pytest.mark.parametrize("path", ["/livez", "/health", "/chat/nobody", "/nothing", "/admin/", "/chat/history/none"])
def test_it_is_on_every_answer_of_the_server(path: str, server: LiveServer) -> None:
    answer = httpx.get(server.url + path, headers={"X-Request-ID": "mine"})
    assert answer.headers["x-request-id"] == "mine"


def test_it_is_in_the_log(server: LiveServer) -> None:
    httpx.get(f"{server.url}/livez?secret=1", headers={"X-Request-ID": "for-the-log"})
    line = server.wait_for_log(request_id="for-the-log")
    assert (line["method"], line["path"], line["status"]) == ("GET", "/livez", 200)
