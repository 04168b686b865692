from __future__ import annotations

import asyncio

import httpx
import pytest

from dialogix.asgi import application
from providers import registry
from providers.pool import Pooled
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


@pytest.mark.django_db(transaction=True)
async def test_it_is_not_ready_while_a_first_reply_would_wait_for_an_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded, began = asyncio.Event(), asyncio.Event()

    async def adapter(_: Pooled) -> None:
        began.set()
        await loaded.wait()
        raise ImportError("half of it is missing")

    monkeypatch.setattr(Pooled, "adapter", adapter)
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        warming = asyncio.create_task(registry.warm_up())
        await began.wait()
        early = await client.get("/readyz")
        loaded.set()
        await warming
        late = await client.get("/readyz")
    assert (early.status_code, early.json()["details"], late.status_code) == (503, "The server is starting.", 200)


def test_it_is_not_ready_without_its_tables(start_server: StartServer) -> None:
    answer = httpx.get(f"{start_server(database='sqlite:////dev/null').url}/readyz")
    assert (answer.status_code, answer.json()["error"]) == (503, "Service unavailable")


def test_it_lives_without_a_database(start_server: StartServer) -> None:
    assert httpx.get(f"{start_server(database='sqlite:////dev/null').url}/livez").status_code == 200
