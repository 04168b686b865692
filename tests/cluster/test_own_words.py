"""What nginx says itself, when no node does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from conversations.api.errors import error_body
from tests.cluster.nginx import Nginx
from tests.services.postgres import free_port

PATHS = (
    "/chat/gpt",
    "/api/v1/chat/claude/",
    "/chat/completions",
    "/chat/conversations",
    "/chat/history/one",
    "/chat/messages/msg-1",
    "/chat/messages/msg-1/stream",
    "/api/v1/chat/messages/msg-1/edit",
    "/health",
    "/health/gpt",
    "/v1/chat/completions",
)
TOO_LARGE = b"a" * 18 * 1024 * 1024


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Nginx]:
    """nginx before nodes that are all gone."""
    nginx = Nginx(tmp_path / "nginx", free_port(), [free_port(), free_port()])
    nginx.start()
    yield nginx
    nginx.stop()


def shape(body: bytes) -> list[str]:
    value = json.loads(body)
    return [*value, *(value["error"] if isinstance(value.get("error"), dict) else ())]


@pytest.mark.parametrize("path", PATHS)
def test_it_says_that_nobody_answers_in_the_shape_of_the_route(path: str, alone: Nginx) -> None:
    answer = httpx.post(alone.url + path, json={})
    assert (answer.status_code, answer.headers["content-type"]) == (502, "application/json")
    assert shape(answer.content) == shape(error_body(path, 502, ""))


@pytest.mark.parametrize("path", ["/chat/gpt", "/chat/completions", "/v1/chat/completions"])
def test_it_says_that_a_body_is_too_large_in_the_shape_of_the_route(path: str, alone: Nginx) -> None:
    answer = httpx.post(alone.url + path, content=TOO_LARGE)
    assert (answer.status_code, shape(answer.content)) == (413, shape(error_body(path, 413, "")))


def test_it_does_not_say_that_there_are_metrics(alone: Nginx) -> None:
    assert [httpx.get(alone.url + path).status_code for path in ("/metrics", "/metrics/", "//metrics")] == [404] * 3
