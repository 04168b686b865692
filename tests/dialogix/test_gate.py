from __future__ import annotations

import json

import pytest
from pytest_django.fixtures import Settings

from tests.dialogix.gate import ask, broken, hello


@pytest.mark.parametrize(("path", "key"), [("/chat/gpt", "detail"), ("/chat/completions", "error"), ("/x", "error")])
def test_it_answers_for_what_broke_in_the_shape_of_the_route(path: str, key: str) -> None:
    answer = ask(broken, path)
    assert (answer.status, key in json.loads(answer.body)) == (500, True)


def test_it_says_nothing_of_what_broke() -> None:
    assert b"hunter2" not in ask(broken).body


def test_it_believes_no_proxy_that_is_not_trusted() -> None:
    assert ask(hello, x_forwarded_for="198.51.100.7").scope["client_address"] == "192.0.2.1"


def test_it_believes_a_trusted_proxy(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ("192.0.2.0/24",)
    assert ask(hello, x_forwarded_for="198.51.100.7").scope["client_address"] == "198.51.100.7"


def test_it_takes_the_scheme_from_a_trusted_proxy(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ("192.0.2.0/24",)
    assert ask(hello, x_forwarded_proto="https").scope["scheme"] == "https"


def test_it_takes_the_scheme_from_nobody_else() -> None:
    assert ask(hello, x_forwarded_proto="https").scope["scheme"] == "http"
