"""What goes wrong, in the SDK's own exceptions."""

from __future__ import annotations

from typing import Any

import httpx
import openai
import pytest

from tests.conftest import StartServer
from tests.contract.people import People
from tests.openai.conftest import sdk_of
from tests.services.server import LiveServer
from tests.simulator import Simulator

HELLO: list[Any] = [{"role": "user", "content": "Hello"}]
ERROR_FIELDS = {"message", "type", "param", "code"}


@pytest.mark.parametrize("stream", [False, True])
def test_it_falls_back_to_the_providers_other_model(sdk: openai.OpenAI, simulator: Simulator, stream: bool) -> None:
    simulator.script("openai", "gpt-4o", status=503)
    simulator.script("openai", "gpt-4o-mini", text="Hello there.")
    answer = sdk.chat.completions.create(model="gpt-4o", messages=HELLO, stream=stream)
    models = {chunk.model for chunk in answer} if stream else {answer.model}  # type: ignore[union-attr]
    assert models == {"gpt-4o-mini"}


def test_it_falls_back_from_the_fallback_as_well(sdk: openai.OpenAI, simulator: Simulator) -> None:
    simulator.script("openai", "gpt-4o-mini", status=503)
    simulator.script("openai", "gpt-4o", text="Hello there.")
    assert sdk.chat.completions.create(model="gpt-4o-mini", messages=HELLO).model == "gpt-4o"


def test_it_asks_no_other_provider(sdk: openai.OpenAI, simulator: Simulator) -> None:
    simulator.script("openai", status=503)
    with pytest.raises(openai.InternalServerError):
        sdk.chat.completions.create(model="gpt-4o", messages=HELLO)
    assert {chat["vendor"] for chat in simulator.chats()} == {"openai"}


@pytest.mark.parametrize("stream", [False, True])
def test_it_fails_with_a_status_before_the_first_token(sdk: openai.OpenAI, simulator: Simulator, stream: bool) -> None:
    simulator.script(status=503, message="secret of the vendor")
    with pytest.raises(openai.InternalServerError) as caught:
        sdk.chat.completions.create(model="gpt-4o", messages=HELLO, stream=stream)
    assert (caught.value.status_code, caught.value.type) == (500, "server_error")
    assert "secret" not in str(caught.value)


def test_it_fails_in_the_stream_after_the_first_token(sdk: openai.OpenAI, simulator: Simulator) -> None:
    simulator.script(chunks=5, delay=0.05, fault="error", after=2)
    chunks = sdk.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True)
    assert [next(chunks).choices[0].delta.content for _ in range(2)] == ["Lorem", " ipsu"]
    with pytest.raises(openai.APIError) as caught:
        list(chunks)
    assert not isinstance(caught.value, openai.APIStatusError)


def test_it_pretends_no_success_after_an_error(server: LiveServer, simulator: Simulator) -> None:
    simulator.script(chunks=5, fault="drop", after=2)
    body = {"model": "gpt-4o", "messages": HELLO, "stream": True}
    answer = httpx.post(f"{server.url}/v1/chat/completions", json=body, trust_env=False)
    *_, last, end = answer.text.split("\n\n")
    assert (answer.status_code, end) == (200, "")
    assert last.startswith('data: {"error":{"message":')
    assert "[DONE]" not in answer.text


def test_it_fails_as_a_whole_after_the_first_token_too(sdk: openai.OpenAI, simulator: Simulator) -> None:
    simulator.script(chunks=5, fault="error", after=2)
    with pytest.raises(openai.InternalServerError):
        sdk.chat.completions.create(model="gpt-4o", messages=HELLO)


def test_it_limits_as_openai_does(start_server: StartServer, simulator: Simulator) -> None:
    simulator.script(text="Hello there.")
    with sdk_of(start_server(**simulator.env(), RATE_LIMIT="1/h")) as sdk:
        first = sdk.chat.completions.with_raw_response.create(model="gpt-4o", messages=HELLO)
        assert first.headers["X-RateLimit-Remaining"] == "0"
        with pytest.raises(openai.RateLimitError) as caught:
            sdk.chat.completions.create(model="gpt-4o", messages=HELLO)
        assert caught.value.type == "rate_limit_error"
        assert int(caught.value.response.headers["Retry-After"]) > 0
        assert len(list(sdk.models.list())) == 6


def test_it_takes_a_token_for_an_api_key(people: People, simulator: Simulator) -> None:
    simulator.script(text="Hello there.")
    with sdk_of(people.server, api_key=people.tokens["owner"]) as sdk:
        assert sdk.chat.completions.create(model="gpt-4o", messages=HELLO).model == "gpt-4o"


@pytest.mark.parametrize("key", ["sk-of-somebody-else", "late"])
def test_it_knows_no_other_key(people: People, simulator: Simulator, key: str) -> None:
    with sdk_of(people.server, api_key=people.tokens.get(key, key)) as sdk:
        with pytest.raises(openai.AuthenticationError) as caught:
            sdk.chat.completions.create(model="gpt-4o", messages=HELLO)
        with pytest.raises(openai.AuthenticationError):
            sdk.models.list()
    assert caught.value.type == "authentication_error"
    assert caught.value.response.headers["WWW-Authenticate"] == "Bearer"
    assert simulator.chats() == []


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"{}", "text/plain", 415),
        (b'{"model": "gpt-4o", "messages": [{"role": "user", "content": "\\u0000"}]}', "application/json", 400),
        (b'{"model": "gpt-4o", "messages": [{"role": "user", "content": "\\ud800"}]}', "application/json", 400),
        (b" " * (16 * 1024 * 1024 + 1), "application/json", 413),
    ],
    ids=["cut", "list", "bytes", "text", "nul", "surrogate", "large"],
)
def test_it_refuses_bodies_in_openais_shape(server: LiveServer, body: bytes, content_type: str, status: int) -> None:
    headers = {"Content-Type": content_type}
    url = f"{server.url}/v1/chat/completions"
    answer = httpx.post(url, content=body, headers=headers, trust_env=False, timeout=20)
    assert answer.status_code == status
    assert answer.json()["error"].keys() == ERROR_FIELDS


def test_it_takes_a_body_of_nearly_16_mib(sdk: openai.OpenAI, simulator: Simulator) -> None:
    simulator.script(text="Hello there.")
    messages: list[Any] = [{"role": "user", "content": "x" * (16 * 1024 * 1024 - 200)}]
    assert sdk.chat.completions.create(model="gpt-4o", messages=messages).model == "gpt-4o"


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "chat/completions", 405), ("GET", "embeddings", 404)])
def test_it_answers_in_openais_shape_where_nothing_is(server: LiveServer, method: str, path: str, status: int) -> None:
    answer = httpx.request(method, f"{server.url}/v1/{path}", trust_env=False)
    assert answer.status_code == status
    assert answer.json()["error"].keys() == ERROR_FIELDS
