"""What the unmodified SDKs report of each fault."""

from __future__ import annotations

from typing import Any

import anthropic
import httpx2
import openai
import pytest
from google.genai import errors

from tests.providers.simulator.sdks import MODELS, VENDORS, anthropic_sdk, complete, openai_sdk, stream
from tests.simulator import Simulator

vendors = pytest.mark.parametrize("vendor", VENDORS)
statuses = pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503, 529])

ERRORS: dict[str, Any] = {
    "openai": openai.APIStatusError,
    "anthropic": anthropic.APIStatusError,
    "gemini": errors.APIError,
}
KINDS = {
    ("openai", 429): "rate_limit_exceeded",
    ("openai", 404): "model_not_found",
    ("anthropic", 401): "authentication_error",
    ("anthropic", 429): "rate_limit_error",
    ("anthropic", 500): "api_error",
    ("anthropic", 529): "overloaded_error",
    ("gemini", 401): "UNAUTHENTICATED",
    ("gemini", 429): "RESOURCE_EXHAUSTED",
    ("gemini", 503): "UNAVAILABLE",
}
BROKEN = (openai.APIConnectionError, anthropic.APIConnectionError, httpx2.ReadError, httpx2.RemoteProtocolError)
SLOW = (openai.APITimeoutError, anthropic.APITimeoutError, httpx2.ReadTimeout)


def heard_until(vendor: str, simulator: Simulator, error: Any, *, match: str | None = None, **how: Any) -> list[str]:
    """The texts that came before the error."""
    texts: list[str] = []
    with pytest.raises(error, match=match):
        texts.extend(stream(vendor, simulator, **how))
    return texts


@vendors
@statuses
def test_it_answers_a_stream_with_a_status(simulator: Simulator, vendor: str, status: int) -> None:
    simulator.script(vendor, status=status)
    with pytest.raises(ERRORS[vendor]) as caught:
        list(stream(vendor, simulator))
    assert (caught.value.code if vendor == "gemini" else caught.value.status_code) == status


@vendors
@statuses
def test_it_answers_a_question_with_a_status(simulator: Simulator, vendor: str, status: int) -> None:
    simulator.script(vendor, status=status)
    with pytest.raises(ERRORS[vendor]) as caught:
        complete(vendor, simulator)
    assert simulator.last(vendor)["status"] == status
    assert caught.value.message


@pytest.mark.parametrize(("vendor", "status"), KINDS)
def test_it_names_an_error_in_the_vendors_words(simulator: Simulator, vendor: str, status: int) -> None:
    simulator.script(vendor, status=status)
    with pytest.raises(ERRORS[vendor]) as caught:
        complete(vendor, simulator)
    words = {"openai": "code", "anthropic": "type", "gemini": "status"}
    assert getattr(caught.value, words[vendor]) == KINDS[vendor, status]


@vendors
def test_it_tells_when_to_come_again(simulator: Simulator, vendor: str) -> None:
    simulator.script(vendor, status=429, retry_after=7)
    with pytest.raises(ERRORS[vendor]) as caught:
        complete(vendor, simulator)
    assert caught.value.response.headers["retry-after"] == "7"


@vendors
def test_it_refuses_whoever_has_no_key(simulator: Simulator, vendor: str) -> None:
    keys = {"openai": "authorization", "anthropic": "x-api-key", "gemini": "x-goog-api-key"}
    paths = {"openai": "/models", "anthropic": "/v1/models", "gemini": "/v1beta/models"}
    answer = httpx2.get(simulator.base_url(vendor) + paths[vendor], headers={keys[vendor]: ""}, trust_env=False)
    assert answer.status_code == 401
    assert answer.json()["error"]["message"]


@vendors
@pytest.mark.parametrize("after", [0, 2])
def test_it_sends_an_error_in_mid_stream(simulator: Simulator, vendor: str, after: int) -> None:
    simulator.script(vendor, chunks=["a", "b", "c"], fault="error", after=after, status=503, message="Gone wrong")
    kinds = {"openai": openai.APIError, "anthropic": anthropic.APIStatusError, "gemini": errors.ServerError}
    assert heard_until(vendor, simulator, kinds[vendor], match="Gone wrong") == ["a", "b"][:after]


@vendors
@pytest.mark.parametrize("fault", ["drop", "reset"])
@pytest.mark.parametrize("after", [-1, 0, 2])
def test_it_breaks_the_connection(simulator: Simulator, vendor: str, fault: str, after: int) -> None:
    simulator.script(vendor, chunks=["a", "b", "c"], fault=fault, after=after)
    assert heard_until(vendor, simulator, BROKEN) == ["a", "b"][: max(after, 0)]
    assert simulator.last(vendor)["state"] == "dropped"


@vendors
@pytest.mark.parametrize("fault", ["drop", "reset"])
def test_it_breaks_the_connection_of_a_reply_in_one_piece(simulator: Simulator, vendor: str, fault: str) -> None:
    simulator.script(vendor, text="Hello", fault=fault)
    with pytest.raises(BROKEN):
        complete(vendor, simulator)


@vendors
@pytest.mark.parametrize("after", [-1, 0, 2])
def test_it_stalls(simulator: Simulator, vendor: str, after: int) -> None:
    simulator.script(vendor, chunks=["a", "b", "c"], fault="stall", after=after)
    assert heard_until(vendor, simulator, SLOW, timeout=0.5) == ["a", "b"][: max(after, 0)]


@vendors
def test_it_stalls_a_reply_in_one_piece(simulator: Simulator, vendor: str) -> None:
    simulator.script(vendor, fault="stall")
    with pytest.raises(SLOW):
        complete(vendor, simulator, timeout=0.5)


@vendors
@pytest.mark.parametrize("fields", [{"headers_delay": 9}, {"first_delay": 9}, {"chunks": ["a", "b"], "delay": 9}])
def test_it_lets_wait(simulator: Simulator, vendor: str, fields: dict[str, Any]) -> None:
    simulator.script(vendor, **fields)
    with pytest.raises(SLOW):
        list(stream(vendor, simulator, timeout=0.5))


@vendors
@pytest.mark.parametrize("fault", ["bad_json", "not_sse"])
@pytest.mark.parametrize("after", [-1, 0, 2])
def test_it_sends_garbage(simulator: Simulator, vendor: str, fault: str, after: int) -> None:
    simulator.script(vendor, chunks=["a", "b", "c"], fault=fault, after=after)
    texts = heard_until(vendor, simulator, (ValueError, errors.UnknownApiResponseError))
    assert texts == ["a", "b"][: max(after, 0)]


@pytest.mark.parametrize("vendor", ["openai", "anthropic"])
def test_it_answers_with_a_page_of_some_proxy(simulator: Simulator, vendor: str) -> None:
    simulator.script(vendor, fault="not_sse", after=-1, status=502)
    with pytest.raises(ERRORS[vendor]) as caught:
        complete(vendor, simulator)
    assert (caught.value.status_code, caught.value.response.headers["content-type"]) == (502, "text/html")


@vendors
def test_it_ends_without_a_terminator(simulator: Simulator, vendor: str) -> None:
    simulator.script(vendor, chunks=["a", "b", "c"], fault="end", after=2)
    assert list(stream(vendor, simulator)) == ["a", "b"]


def test_it_leaves_out_how_it_ended(simulator: Simulator) -> None:
    simulator.script("openai", chunks=["a"], fault="end", after=1)
    raw = raw_stream(simulator)
    assert b'"content":"a"' in raw
    assert b"[DONE]" not in raw


@vendors
def test_it_streams_a_reply_without_text(simulator: Simulator, vendor: str) -> None:
    simulator.script(vendor, text="")
    assert list(stream(vendor, simulator)) == []


@vendors
def test_it_answers_without_text(simulator: Simulator, vendor: str) -> None:
    simulator.script(vendor, text="")
    assert complete(vendor, simulator) == ""


@vendors
def test_it_streams_exactly_the_chunks_of_a_script(simulator: Simulator, vendor: str) -> None:
    chunks = ["\r\n", "data: x\n\n", "é😀", "\u0000\u0085\u2028", '"\\', " "]
    simulator.script(vendor, chunks=chunks)
    assert list(stream(vendor, simulator)) == chunks


@vendors
@pytest.mark.parametrize("escaped", [True, False])
def test_it_streams_halves_of_a_surrogate_pair(simulator: Simulator, vendor: str, escaped: bool) -> None:
    simulator.script(vendor, chunks=["\ud83d", "\ude00"], ascii=escaped)
    raw = raw_stream(simulator, vendor)
    assert raw.index(rb"\ud83d") < raw.index(rb"\ude00")


@vendors
def test_it_splits_characters_over_two_writes(simulator: Simulator, vendor: str) -> None:
    simulator.script(vendor, chunks=["né", "😀x"], split_utf8=True)
    assert list(stream(vendor, simulator)) == ["né", "😀x"]


def test_it_cuts_within_a_character(simulator: Simulator) -> None:
    simulator.script("openai", chunks=["é"], split_utf8=True)
    assert any(read.endswith(b"\xc3") for read in reads(simulator))


def test_it_sends_many_events_in_one_read(simulator: Simulator) -> None:
    simulator.script("openai", chunks=100, burst=True)
    assert max(read.count(b"data: ") for read in reads(simulator)) >= 50


@vendors
def test_it_sends_a_burst_that_the_sdk_reads_in_full(simulator: Simulator, vendor: str) -> None:
    simulator.script(vendor, chunks=700, size=3, burst=True)
    assert len("".join(stream(vendor, simulator))) == 2100


@vendors
def test_it_never_pauses_until_the_client_leaves(simulator: Simulator, vendor: str) -> None:
    simulator.script(vendor, chunks=["a", "b"], endless=True, burst=True)
    texts = stream(vendor, simulator)
    assert [next(texts) for _ in range(2000)] == ["a", "b"] * 1000
    texts.close()
    simulator.wait(vendor)


def test_it_says_any_word_for_the_end(simulator: Simulator) -> None:
    simulator.script("openai", text="a", finish="eos_token")
    assert b'"finish_reason":"eos_token"' in raw_stream(simulator)


def test_it_leaves_out_usage(simulator: Simulator) -> None:
    simulator.script("anthropic", text="a", usage=False)
    message = anthropic_sdk(simulator).messages.create(
        model=MODELS["anthropic"], max_tokens=5, messages=[{"role": "user", "content": "Hello"}]
    )
    assert message.usage is None


def test_it_answers_the_other_model_where_one_fails(simulator: Simulator) -> None:
    prompt = "[[simulate status=503 model=gpt-4o]]"
    with pytest.raises(openai.InternalServerError):
        complete("openai", simulator, prompt)
    assert "simulator" in complete("openai", simulator, prompt, model="gpt-4o-mini")


def test_it_refuses_a_body_that_is_no_json(simulator: Simulator) -> None:
    with pytest.raises(openai.BadRequestError):
        openai_sdk(simulator).post("/chat/completions", content=b"{", cast_to=object)


def reads(simulator: Simulator, vendor: str = "openai") -> list[bytes]:
    """The body of a stream as it came from the socket, read by read."""
    paths = {
        "openai": "/chat/completions",
        "anthropic": "/v1/messages",
        "gemini": f"/v1beta/models/{MODELS['gemini']}:streamGenerateContent?alt=sse",
    }
    messages = [{"role": "user", "content": "Hello"}]
    bodies: dict[str, dict[str, Any]] = {
        "openai": {"model": MODELS["openai"], "messages": messages, "stream": True},
        "anthropic": {"model": MODELS["anthropic"], "messages": messages, "max_tokens": 5, "stream": True},
        "gemini": {"contents": [{"parts": [{"text": "Hello"}]}]},
    }
    headers = {"authorization": "Bearer any", "anthropic-version": "2023-06-01"}
    with (
        httpx2.Client(trust_env=False, headers=headers, timeout=10) as client,
        client.stream("POST", simulator.base_url(vendor) + paths[vendor], json=bodies[vendor]) as answer,
    ):
        return list(answer.iter_raw())


def raw_stream(simulator: Simulator, vendor: str = "openai") -> bytes:
    return b"".join(reads(simulator, vendor))
