"""The same requests through the project's nginx: what one client sends becomes no part of another one's answers."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.cluster.nginx import Nginx
from tests.contract.client import connection
from tests.dialogix.sockets import read_all
from tests.security.test_smuggling import AMBIGUOUS, BROKEN_CHUNKS, CHUNKED
from tests.security.wire import HIDDEN, HIDDEN_ANSWER, head, post
from tests.services.postgres import free_port
from tests.services.server import LiveServer

SHAPES = {**AMBIGUOUS, **{name: post(CHUNKED, body=body) for name, body in BROKEN_CHUNKS.items()}}
OTHERS = 4
"""Requests of others over the connections that nginx keeps to the node."""


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    node = LiveServer(RATE_LIMIT="100000/h", TRUSTED_PROXIES="127.0.0.1", METRICS_TOKEN="only-for-tests")
    nginx = Nginx(tmp_path_factory.mktemp("front") / "nginx", free_port(), [node.port])
    nginx.start()
    yield nginx
    nginx.stop()
    node.close()


def send(nginx: Nginx, request: bytes) -> bytes:
    with connection(nginx.url) as opened:
        opened.sendall(request)
        return read_all(opened)


@pytest.mark.parametrize("name", SHAPES)
def test_nobody_else_is_answered_for_it(name: str, nginx: Nginx) -> None:
    send(nginx, SHAPES[name] + HIDDEN)
    for _ in range(OTHERS):
        answer = httpx.get(f"{nginx.url}/livez", trust_env=False)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_what_is_in_a_body_stays_there(nginx: Nginx) -> None:
    whole = post(b"Connection: close", b"Content-Length: %d" % len(HIDDEN), body=HIDDEN)
    assert HIDDEN_ANSWER not in send(nginx, whole)


@pytest.mark.parametrize(
    "path",
    ["/metrics", "/metrics/", "//metrics", "/%6detrics", "/x/../metrics", "/./metrics", "/metrics?", "/metrics//"],
)
@pytest.mark.parametrize("field", ["X-A: b", "Authorization: Bearer only-for-tests"])
def test_metrics_are_not_for_the_outside(path: str, field: str, nginx: Nginx) -> None:
    answer = send(nginx, head(path, field))
    assert answer.startswith(b"HTTP/1.1 404")


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example"])
def test_it_passes_the_name_on_to_be_judged(host: str, nginx: Nginx) -> None:
    assert send(nginx, head("/health", host=host)).startswith(b"HTTP/1.1 400")


def test_it_refuses_a_large_body_in_our_shape(nginx: Nginx) -> None:
    answer = httpx.post(f"{nginx.url}/chat/gpt", content=b"x" * (18 * 1024 * 1024), trust_env=False)
    assert (answer.status_code, set(answer.json())) in ((413, {"detail"}), (413, {"error", "details"}))


@pytest.mark.parametrize("path", ["/livez", "/nothing%00", "/" + "a" * 40_000])
def test_it_does_not_tell_its_version(path: str, nginx: Nginx) -> None:
    answer = send(nginx, head(path))
    assert b"nginx/" not in answer
