"""No header is sent that the description does not name, but for those of HTTP itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.conftest import StartServer
from tests.contract.client import new_id, user
from tests.schema.conftest import Place
from tests.schema.test_answers import OPERATIONS
from tests.schema.test_complete import resolved
from tests.services.server import LiveServer
from tests.simulator import Simulator

Ask = Callable[[Place], httpx.Response]

OF_HTTP = {
    *("connection", "content-length", "content-type", "date", "server", "transfer-encoding", "vary"),
    *("content-security-policy", "cross-origin-opener-policy", "referrer-policy", "x-content-type-options"),
    *("x-frame-options", "set-cookie"),
}
"""What browsers, proxies and connections are told; a client of the API need not know of it."""


def described(name: str, status: int) -> set[str]:
    answer = resolved(OPERATIONS[name].definition.raw["responses"][str(status)])
    return {header.lower() for header in answer.get("headers", {})}


def undescribed(name: str, answer: httpx.Response) -> set[str]:
    return set(answer.headers) - described(name, answer.status_code) - OF_HTTP


def get(path: str, **headers: str) -> Ask:
    return lambda place: place.client.http.get(path.format(**vars(place)), headers=headers)


def post(path: str, **body: Any) -> Ask:
    return lambda place: place.client.http.post(path.format(**vars(place)), json=body)


def again(path: str) -> Ask:
    """Asks for what it has."""

    def ask(place: Place) -> httpx.Response:
        etag = get(path)(place).headers["ETag"]
        return get(path, **{"If-None-Match": etag})(place)

    return ask


CASES: dict[str, tuple[str, int, Ask]] = {
    "health": ("health", 200, get("/health")),
    "provider health": ("providerHealth", 200, get("/health/gpt")),
    "live": ("live", 200, get("/livez")),
    "ready": ("ready", 200, get("/readyz")),
    "metrics": ("metrics", 200, get("/metrics")),
    "schema": ("schema", 200, get("/api/schema/")),
    "schema again": ("schema", 304, again("/api/schema/")),
    "docs": ("docs", 200, get("/api/docs/")),
    "completion": ("complete", 200, post("/chat/completions", message="Hello")),
    "bad completion": ("complete", 400, post("/chat/completions", message="")),
    "stream": ("chat", 200, post("/chat/gpt", messages=[user("Hello")])),
    "stored stream": ("chat", 200, post("/chat/gpt", messages=[user("Hello")], conversation_id=new_id())),
    "bad stream": ("chat", 400, post("/chat/gpt", messages=[])),
    "history": ("history", 200, get("/chat/history/{conversation}")),
    "history again": ("history", 304, again("/chat/history/{conversation}")),
    "message": ("readMessage", 200, get("/chat/messages/{assistant}")),
    "message again": ("readMessage", 304, again("/chat/messages/{assistant}")),
    "rejoin": ("rejoin", 200, get("/chat/messages/{assistant}/stream")),
    "nothing to rejoin": ("rejoin", 204, get("/chat/messages/{user}/stream")),
    "cancel": ("cancel", 200, post("/chat/messages/{assistant}/cancel")),
    "cancel a user's": ("cancel", 409, post("/chat/messages/{user}/cancel")),
    "regenerate": ("regenerate", 200, post("/chat/messages/{assistant}/regenerate")),
    "activate": ("activate", 200, post("/chat/messages/{assistant}/activate")),
    "create": ("createConversation", 200, post("/chat/conversations")),
    "list": ("listConversations", 200, get("/chat/conversations")),
    "list again": ("listConversations", 304, again("/chat/conversations")),
    "conversation": ("readConversation", 200, get("/chat/conversations/{conversation}")),
    "no conversation": ("readConversation", 404, get("/chat/conversations/none")),
    "export": ("exportConversation", 200, get("/chat/conversations/{conversation}/export")),
    "models": ("openaiModels", 200, get("/v1/models")),
    "no model": ("openaiModel", 404, get("/v1/models/none")),
    "openai": ("openaiChatCompletions", 200, post("/v1/chat/completions", model="gpt-4o", messages=[user("Hello")])),
}


@pytest.mark.parametrize("case", CASES)
def test_it_describes_what_it_sends(case: str, place: Place) -> None:
    name, status, ask = CASES[case]
    answer = ask(place)
    assert answer.status_code == status
    assert undescribed(name, answer) == set()


def test_it_describes_what_strangers_get(asking: LiveServer) -> None:
    answer = httpx.get(f"{asking.url}/chat/conversations", trust_env=False)
    assert answer.status_code == 401
    assert undescribed("listConversations", answer) == set()


@pytest.mark.parametrize("case", ["completion", "stored stream", "openai"])
def test_it_describes_what_a_failure_tells(case: str, place: Place, simulator: Simulator) -> None:
    simulator.clear()
    simulator.script(status=503)
    name, _, ask = CASES[case]
    answer = ask(place)
    assert answer.status_code == 500
    assert undescribed(name, answer) == set()


def test_it_describes_what_a_simulator_and_a_limit_add(start_server: StartServer, simulator: Simulator) -> None:
    url = start_server(RATE_LIMIT="1/h").url
    answers = [httpx.post(f"{url}/chat/gpt", json={"messages": [user("Hello")]}, trust_env=False) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert "x-dialogix-simulator" in answers[0].headers
    assert [undescribed("chat", answer) for answer in answers] == [set(), set()]
