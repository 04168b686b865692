from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from providers.errors import EmptyReply, Filtered, ModelNotFound, RateLimited, VendorFailed
from providers.events import Finish, Usage
from providers.messages import CompletionRequest, Message
from tests.providers.rawvendor import DELTAS, ENDS, adapter_at, collect, finish_of, reply_to, text_of
from tests.simulator import Simulator

DELTA = DELTAS["openai"] % b"Hello"
FINISH = b'data: {"choices":[{"delta":{},"finish_reason":"length"}]}\n\n'
DONE = b"data: [DONE]\n\n"
USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":34,"total_tokens":46}}\n\n'


def request(model: str = "gpt-4o", **fields: object) -> CompletionRequest:
    return CompletionRequest([Message("user", "Hi.")], model, **fields)  # type: ignore[arg-type]


async def received(simulator: Simulator, asked: CompletionRequest, **fields: object) -> dict[str, object]:
    """The body of the request as the vendor got it."""
    simulator.script("openai", text="Hello")
    async with adapter_at("openai", simulator.base_url("openai"), **fields) as adapter:
        await collect(adapter, asked)
    body: dict[str, object] = simulator.last("openai")["body"]
    return body


async def test_the_vendor_gets_everything_that_was_asked(simulator: Simulator) -> None:
    asked = request(instructions="Be kind.", temperature=0.3, max_tokens=8192, top_p=0.9, stop=["END"], seed=7)
    assert await received(simulator, asked) == {
        "model": "gpt-4o",
        "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi."}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.3,
        "max_tokens": 8192,
        "top_p": 0.9,
        "stop": ["END"],
        "seed": 7,
    }


async def test_the_vendor_gets_extra_parameters_as_they_stand(simulator: Simulator) -> None:
    body = await received(simulator, request(extra={"presence_penalty": 0.5, "response_format": {"type": "text"}}))
    assert (body["presence_penalty"], body["response_format"]) == (0.5, {"type": "text"})


async def test_a_reasoning_model_gets_what_it_takes(simulator: Simulator) -> None:
    asked = request("o3", temperature=0.3, max_tokens=8192)
    body = await received(simulator, asked, no_temperature=("o[0-9]*",), completion_tokens=("o[0-9]*", "gpt-5*"))
    assert "temperature" not in body
    assert "max_tokens" not in body
    assert body["max_completion_tokens"] == 8192


async def test_it_reads_what_the_simulator_says(simulator: Simulator) -> None:
    simulator.script("openai", text="Hello there", input_tokens=12, output_tokens=34)
    async with adapter_at("openai", simulator.base_url("openai")) as adapter:
        events = await collect(adapter, request())
    assert (text_of(events), events[-2:]) == ("Hello there", [Usage(12, 34), Finish("stop", "stop")])


async def test_it_reads_usage_behind_the_finish() -> None:
    events = await reply_to("openai", DELTA + FINISH + USAGE + DONE)
    assert events[1:] == [Usage(12, 34), Finish("length", "length")]


async def test_it_needs_no_usage() -> None:
    assert (await reply_to("openai", DELTA + FINISH + DONE))[1:] == [Finish("length", "length")]


async def test_it_needs_no_done_after_a_finish() -> None:
    assert finish_of(await reply_to("openai", DELTA + FINISH)) == Finish("length", "length")


async def test_it_needs_no_finish_before_done() -> None:
    assert finish_of(await reply_to("openai", DELTA + DONE)) == Finish(None, None)


async def test_it_reads_text_and_finish_in_one_chunk() -> None:
    chunk = b'data: {"choices":[{"delta":{"content":"Hello"},"finish_reason":"stop"}]}\n\n'
    events = await reply_to("openai", chunk)
    assert (text_of(events), finish_of(events).reason) == ("Hello", "stop")


async def test_reasoning_is_not_text() -> None:
    thought = b'data: {"choices":[{"delta":{"reasoning_content":"Hm","content":null},"finish_reason":null}]}\n\n'
    assert text_of(await reply_to("openai", thought + DELTA + FINISH)) == "Hello"


async def test_a_refusal_is_told_as_text_and_as_filtered() -> None:
    refusal = b'data: {"choices":[{"delta":{"refusal":"I cannot help."}}]}\n\n'
    events = await reply_to("openai", refusal + ENDS["openai"])
    assert (text_of(events), finish_of(events)) == ("I cannot help.", Finish("content_filter", "refusal"))


async def test_a_filtered_reply_without_text_is_an_error() -> None:
    with pytest.raises(Filtered):
        await reply_to("openai", b'data: {"choices":[{"delta":{},"finish_reason":"content_filter"}]}\n\n' + DONE)


async def test_a_tool_call_without_text_is_an_empty_reply() -> None:
    with pytest.raises(EmptyReply):
        await reply_to("openai", b'data: {"choices":[{"delta":{},"finish_reason":"tool_calls"}]}\n\n' + DONE)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (b'{"message":"the-secret-key","type":"server_error","code":null}', VendorFailed),
        (b'"the-secret-key is overloaded"', VendorFailed),
        (b'{"message":"slow down","code":429}', RateLimited),
        (b'{"message":"slow down","code":"429"}', RateLimited),
        (b'{"message":"no","code":"content_filter"}', Filtered),
        (b"{}", VendorFailed),
    ],
)
async def test_it_recognises_an_error_in_the_stream(error: bytes, kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught:
        await reply_to("openai", b'data: {"error":' + error + b"}\n\n")
    assert "secret" not in str(caught.value)


async def test_its_check_costs_no_tokens(simulator: Simulator) -> None:
    async with adapter_at("openai", simulator.base_url("openai")) as adapter:
        await adapter.check("gpt-4o")
    assert [(each["method"], each["path"]) for each in simulator.requests("openai")] == [("GET", "/v1/models/gpt-4o")]


async def test_its_check_finds_no_such_model(simulator: Simulator) -> None:
    async with adapter_at("openai", simulator.base_url("openai")) as adapter:
        with pytest.raises(ModelNotFound):
            await adapter.check("no-such-model")


async def test_its_check_looks_into_the_list_of_a_server_without_entries() -> None:
    listed = b'{"object":"list","data":[{"id":"llama3.2","object":"model"}]}'
    async with _without_entries(listed) as root, adapter_at("openai", root) as adapter:
        await adapter.check("llama3.2")
        with pytest.raises(ModelNotFound):
            await adapter.check("no-such-model")


@asynccontextmanager
async def _without_entries(listed: bytes) -> AsyncIterator[str]:
    """A server that has a list of models, but answers 404 for each one."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        status, body = (b"200 OK", listed) if head.startswith(b"GET /models ") else (b"404 Not Found", b"{}")
        fields = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n" % len(body)
        writer.write(b"HTTP/1.1 " + status + b"\r\n" + fields + b"\r\n" + body)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
