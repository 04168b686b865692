from __future__ import annotations

import json

import pytest

from providers.errors import (
    BadRequest,
    Filtered,
    ModelNotFound,
    ProviderError,
    RateLimited,
    Unauthorized,
    VendorFailed,
)  # fmt: skip
from providers.events import Finish, Usage
from providers.messages import CompletionRequest, Message
from tests.providers.rawvendor import DELTAS, ENDS, OPENINGS, adapter_at, collect, finish_of, reply_to, text_of
from tests.simulator import Simulator

MODEL = "claude-3-5-sonnet-latest"
HELLO = DELTAS["anthropic"] % b"Hello"


def event(kind: str, **fields: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


STOP = event("message_stop")


def request(**fields: object) -> CompletionRequest:
    return CompletionRequest([Message("user", "Hi.")], MODEL, **fields)  # type: ignore[arg-type]


async def received(simulator: Simulator, asked: CompletionRequest, **fields: object) -> dict[str, object]:
    """The request as the vendor got it."""
    simulator.script("anthropic", text="Hello")
    async with adapter_at("anthropic", simulator.base_url("anthropic"), **fields) as adapter:
        await collect(adapter, asked)
    return simulator.last("anthropic")


async def test_the_vendor_gets_everything_that_was_asked(simulator: Simulator) -> None:
    asked = request(instructions="Be kind.", temperature=0.3, max_tokens=100, top_p=0.9, stop=["END"])
    assert (await received(simulator, asked))["body"] == {
        "model": MODEL,
        "messages": [{"role": "user", "content": "Hi."}],
        "system": "Be kind.",
        "stream": True,
        "temperature": 0.3,
        "max_tokens": 100,
        "top_p": 0.9,
        "stop_sequences": ["END"],
    }


async def test_it_names_the_version_that_takes_a_temperature(simulator: Simulator) -> None:
    headers = (await received(simulator, request(temperature=0.3)))["headers"]
    assert headers["anthropic-version"] == "2023-06-01"  # type: ignore[index]


@pytest.mark.parametrize(("configured", "limit"), [(500, 500), (None, 8192)])
async def test_it_always_names_a_limit(configured: int | None, limit: int, simulator: Simulator) -> None:
    body = (await received(simulator, request(), max_tokens=configured))["body"]
    assert body["max_tokens"] == limit  # type: ignore[index]


async def test_it_needs_no_key(simulator: Simulator) -> None:
    assert (await received(simulator, request(), api_key=None))["status"] == 200


async def test_it_reads_what_the_simulator_says(simulator: Simulator) -> None:
    simulator.script("anthropic", text="Hello there", input_tokens=12, output_tokens=34)
    async with adapter_at("anthropic", simulator.base_url("anthropic")) as adapter:
        events = await collect(adapter, request())
    assert (text_of(events), events[-2:]) == ("Hello there", [Usage(12, 34), Finish("stop", "end_turn")])


async def test_it_takes_the_last_count_and_counts_the_cache() -> None:
    first = {"input_tokens": 10, "output_tokens": 1, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 7}
    start = event("message_start", message={"usage": first})
    end = event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 34})
    assert Usage(22, 34) in await reply_to("anthropic", start + HELLO + end + STOP)


async def test_it_needs_no_message_stop_after_a_reason() -> None:
    end = event("message_delta", delta={"stop_reason": "max_tokens"})
    assert finish_of(await reply_to("anthropic", HELLO + end)) == Finish("length", "max_tokens")


async def test_it_needs_no_reason_before_message_stop() -> None:
    assert finish_of(await reply_to("anthropic", HELLO + STOP)) == Finish(None, None)


async def test_it_reads_text_that_comes_with_the_beginning_of_a_block() -> None:
    start = event("content_block_start", index=0, content_block={"type": "text", "text": "Oh. "})
    assert text_of(await reply_to("anthropic", start + HELLO + ENDS["anthropic"])) == "Oh. Hello"


async def test_thinking_and_tools_are_not_text() -> None:
    noise = [
        event("ping"),
        event("content_block_start", index=0, content_block={"type": "thinking", "thinking": "Hm", "text": "Hm"}),
        event("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "Hm"}),
        event("content_block_delta", index=0, delta={"type": "signature_delta", "signature": "x"}),
        event("content_block_delta", index=0, delta={"type": "input_json_delta", "partial_json": "{"}),
        event("content_block_delta", index=0, delta={"type": "tomorrows_delta", "text": "Hm"}),
        event("content_block_stop", index=0),
        event("tomorrows_event", text="Hm", delta=None),
    ]
    assert text_of(await reply_to("anthropic", b"".join(noise) + HELLO + ENDS["anthropic"])) == "Hello"


async def test_a_refusal_with_text_is_filtered() -> None:
    end = event("message_delta", delta={"stop_reason": "refusal"}) + STOP
    assert finish_of(await reply_to("anthropic", HELLO + end)) == Finish("content_filter", "refusal")


async def test_a_refusal_without_text_is_an_error() -> None:
    with pytest.raises(Filtered):
        await reply_to("anthropic", event("message_delta", delta={"stop_reason": "refusal"}) + STOP)


@pytest.mark.parametrize("before", [b"", OPENINGS["anthropic"], OPENINGS["anthropic"] + HELLO])
@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("overloaded_error", VendorFailed),
        ("api_error", VendorFailed),
        ("rate_limit_error", RateLimited),
        ("invalid_request_error", BadRequest),
        ("authentication_error", Unauthorized),
        ("tomorrows_error", VendorFailed),
    ],
)
async def test_it_recognises_an_error_in_the_stream(word: str, kind: type[Exception], before: bytes) -> None:
    with pytest.raises(kind) as caught:
        await reply_to("anthropic", before, event("error", error={"type": word, "message": "secret"}))
    assert "secret" not in str(caught.value)


async def test_an_error_in_the_stream_has_no_status() -> None:
    with pytest.raises(ProviderError) as caught:
        await reply_to("anthropic", event("error", error={"type": "overloaded_error"}))
    assert caught.value.status is None


async def test_its_check_costs_no_tokens(simulator: Simulator) -> None:
    async with adapter_at("anthropic", simulator.base_url("anthropic")) as adapter:
        await adapter.check(MODEL)
    assert [each["method"] for each in simulator.requests("anthropic")] == ["GET"]


async def test_its_check_finds_no_such_model(simulator: Simulator) -> None:
    async with adapter_at("anthropic", simulator.base_url("anthropic")) as adapter:
        with pytest.raises(ModelNotFound):
            await adapter.check("no-such-model")
