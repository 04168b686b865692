from __future__ import annotations

import json

import pytest

from providers.errors import BadRequest, Filtered, ModelNotFound, ProviderError, RateLimited, Unauthorized, VendorFailed
from providers.events import Delta, Finish, Usage
from providers.messages import CompletionRequest, Message
from tests.providers.rawvendor import DELTAS, adapter_at, collect, finish_of, raw_vendor, reply_to, text_of
from tests.simulator import Simulator

MODEL = "gemini-2.0-flash"
HELLO = DELTAS["gemini"] % b"Hello"


def event(**fields: object) -> bytes:
    return b"data: " + json.dumps(fields).encode() + b"\r\n\r\n"


def end(reason: str) -> bytes:
    return event(candidates=[{"finishReason": reason}])


def request(**fields: object) -> CompletionRequest:
    messages = [Message("user", "Hi."), Message("assistant", "Hello."), Message("user", "How are you?")]
    return CompletionRequest(messages, MODEL, **fields)  # type: ignore[arg-type]


async def received(simulator: Simulator, asked: CompletionRequest, **fields: object) -> dict[str, object]:
    """The request as the vendor got it."""
    simulator.script("gemini", text="Hello")
    async with adapter_at("gemini", simulator.base_url("gemini"), **fields) as adapter:
        await collect(adapter, asked)
    return simulator.last("gemini")


async def test_the_vendor_gets_everything_that_was_asked(simulator: Simulator) -> None:
    asked = request(instructions="Be kind.", temperature=0.3, max_tokens=100, top_p=0.9, stop=["END"], seed=7)
    assert (await received(simulator, asked))["body"] == {
        "contents": [
            {"role": "user", "parts": [{"text": "Hi."}]},
            {"role": "model", "parts": [{"text": "Hello."}]},
            {"role": "user", "parts": [{"text": "How are you?"}]},
        ],
        "systemInstruction": {"parts": [{"text": "Be kind."}]},
        "generationConfig": {
            "temperature": 0.3, "maxOutputTokens": 100, "topP": 0.9, "stopSequences": ["END"], "seed": 7,
        },
    }  # fmt: skip


async def test_it_needs_no_key(simulator: Simulator) -> None:
    assert (await received(simulator, request(), api_key=None))["status"] == 200


async def test_it_reads_what_the_simulator_says(simulator: Simulator) -> None:
    simulator.script("gemini", text="Hello there", input_tokens=12, output_tokens=34)
    async with adapter_at("gemini", simulator.base_url("gemini")) as adapter:
        events = await collect(adapter, request())
    assert (text_of(events), events[-2:]) == ("Hello there", [Usage(12, 34), Finish("stop", "STOP")])


async def test_what_it_thought_is_output_too() -> None:
    counts = {"promptTokenCount": 12, "candidatesTokenCount": 30, "thoughtsTokenCount": 4}
    assert Usage(12, 34) in await reply_to("gemini", HELLO + event(usageMetadata=counts) + end("STOP"))


async def test_it_invents_no_usage() -> None:
    events = await reply_to("gemini", HELLO + event(usageMetadata={"promptTokenCount": 12}) + end("STOP"))
    assert events == [Delta("Hello"), Finish("stop", "STOP")]


async def test_thoughts_are_not_text() -> None:
    parts = [{"text": "Hm", "thought": True}, {"text": "Hel"}, {"functionCall": {"name": "f"}}, {"text": "lo"}]
    assert text_of(await reply_to("gemini", event(candidates=[{"content": {"parts": parts}}]) + end("STOP"))) == "Hello"


async def test_a_model_that_says_stop_in_every_chunk_is_heard_to_the_end() -> None:
    chunk = event(candidates=[{"content": {"parts": [{"text": "a"}]}, "finishReason": "STOP"}])
    assert text_of(await reply_to("gemini", chunk, chunk, chunk)) == "aaa"


async def test_a_filtered_reply_with_text_says_so() -> None:
    assert finish_of(await reply_to("gemini", HELLO + end("SAFETY"))) == Finish("content_filter", "SAFETY")


@pytest.mark.parametrize("stream", [end("SAFETY"), event(promptFeedback={"blockReason": "PROHIBITED_CONTENT"})])
async def test_a_filtered_reply_without_text_is_an_error(stream: bytes) -> None:
    with pytest.raises(Filtered):
        await reply_to("gemini", stream)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": 503, "status": "UNAVAILABLE", "message": "secret"}, VendorFailed),
        ({"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "secret"}, RateLimited),
        ("secret", VendorFailed),
    ],
)
async def test_it_recognises_an_error_in_the_stream(error: object, kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught:
        await reply_to("gemini", HELLO, event(error=error))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"error": {"code": 400, "message": "secret", "status": "INVALID_ARGUMENT"}}', BadRequest),
        (b'{"error": {"code": 400, "details": [{"reason": "API_KEY_INVALID"}]}}', Unauthorized),
        (b'[{"error": {"code": 400, "message": "secret"}}]', BadRequest),
        (b"<html>secret</html>", BadRequest),
        (b"", BadRequest),
    ],
)
async def test_it_recognises_an_error_before_the_stream(body: bytes, kind: type[ProviderError]) -> None:
    with pytest.raises(kind) as caught:
        await reply_to("gemini", body, status=b"400 Bad Request")
    assert (caught.value.status, "secret" in str(caught.value)) == (400, False)


async def test_its_check_costs_no_tokens(simulator: Simulator) -> None:
    async with adapter_at("gemini", simulator.base_url("gemini")) as adapter:
        await adapter.check(MODEL)
    assert [each["method"] for each in simulator.requests("gemini")] == ["GET"]


async def test_its_check_finds_no_such_model(simulator: Simulator) -> None:
    async with adapter_at("gemini", simulator.base_url("gemini")) as adapter:
        with pytest.raises(ModelNotFound):
            await adapter.check("no-such-model")


async def test_the_environment_changes_neither_service_nor_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
    monkeypatch.setenv("GOOGLE_API_KEY", "another key")
    async with raw_vendor(HELLO + end("STOP")) as server, adapter_at("gemini", server.root) as adapter:
        await collect(adapter)
    assert server.requests[0].startswith(b"POST /v1/models/a-model:streamGenerateContent?alt=sse")
    assert b"the-secret-key" in server.requests[0]
