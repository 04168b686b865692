"""A vendor that answers with exactly these bytes, for tests that are about bytes."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any

from providers.adapters.anthropic import Anthropic
from providers.adapters.gemini import Gemini
from providers.adapters.openai import OpenAI
from providers.base import Adapter
from providers.conf import ProviderConfig
from providers.events import Delta, Event, Finish
from providers.messages import CompletionRequest, Message

ADAPTERS: dict[str, Callable[[ProviderConfig], Adapter]] = {"openai": OpenAI, "anthropic": Anthropic, "gemini": Gemini}
VENDORS = tuple(ADAPTERS)
REQUEST = CompletionRequest([Message("user", "Hello")], "a-model", max_tokens=100)
PAUSE = 0.02

OPENINGS = {
    "openai": b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n',
    "anthropic": b'event: message_start\ndata: {"type":"message_start","message":{"usage":{"input_tokens":3}}}\n\n',
    "gemini": b'data: {"usageMetadata":{"promptTokenCount":3}}\n\n',
}
DELTAS = {
    "openai": b'data: {"choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n',
    "anthropic": b"event: content_block_delta\n"
    b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"%b"}}\n\n',
    "gemini": b'data: {"candidates":[{"content":{"parts":[{"text":"%b"}],"role":"model"}}]}\n\n',
}
ENDS = {
    "openai": b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
    "anthropic": b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}\n\n'
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n',
    "gemini": b'data: {"candidates":[{"finishReason":"STOP"}]}\n\n',
}


def config(vendor: str, base_url: str | None, **fields: Any) -> ProviderConfig:
    known: dict[str, Any] = {"api_key": "the-secret-key", "temperature": 0.3, "max_tokens": 8192, "system_prompt": ""}
    models = {"default_model": "a-model", "fallback_model": "b-model"}
    return ProviderConfig(name=vendor, vendor=vendor, variable="KEY", base_url=base_url, **(models | known | fields))


@asynccontextmanager
async def adapter_at(vendor: str, base_url: str | None, **fields: Any) -> AsyncIterator[Adapter]:
    adapter = ADAPTERS[vendor](config(vendor, base_url, **fields))
    try:
        yield adapter
    finally:
        await adapter.aclose()


class RawVendor:
    """requests: heads and bodies as they came; connections: how many were opened; left: the client closed one;
    answered: an answer has been written whole."""

    def __init__(self, writes: tuple[bytes, ...], *, status: bytes, headers: bytes, endless: bool, ends: bool) -> None:
        self.writes = writes
        self.head = b"HTTP/1.1 " + status + b"\r\ntransfer-encoding: chunked\r\n" + headers + b"\r\n"
        self.endless = endless
        self.ends = ends
        self.requests: list[bytes] = []
        self.connections = 0
        self.left = asyncio.Event()
        self.answered = asyncio.Event()
        self.root = ""
        self._writers: list[asyncio.StreamWriter] = []

    def cut(self) -> None:
        """Lose all connections, as a vendor that is killed does."""
        for writer in self._writers:
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        try:
            while True:
                self.requests.append(await self._request(reader))
                await self._answer(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            self.left.set()
        finally:
            writer.close()

    async def _request(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        lengths = [line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        return head + await reader.readexactly(int(lengths[0]) if lengths else 0)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self.head)
        for write in filter(None, self.writes):  # an empty chunk would end the body
            writer.write(b"%x\r\n%b\r\n" % (len(write), write))
            await asyncio.sleep(PAUSE)
        while self.endless:
            writer.write(b"%x\r\n%b\r\n" % (len(self.writes[-1]), self.writes[-1]))
            await writer.drain()
        if self.ends:
            writer.write(b"0\r\n\r\n")
        await writer.drain()
        self.answered.set()


@asynccontextmanager
async def raw_vendor(
    *writes: bytes,
    status: bytes = b"200 OK",
    headers: bytes = b"",
    endless: bool = False,
    ends: bool = True,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[RawVendor]:
    """Each write is a chunk of the body and a network read of its own.

    endless: the last write again and again, as fast as it is taken; ends: False leaves the body unfinished
    """
    vendor = RawVendor(writes, status=status, headers=headers, endless=endless, ends=ends)
    server = await asyncio.start_server(vendor.serve, "127.0.0.1", 0, ssl=tls)
    scheme, host = ("https", "localhost") if tls else ("http", "127.0.0.1")
    vendor.root = f"{scheme}://{host}:{server.sockets[0].getsockname()[1]}"
    try:
        yield vendor
    finally:
        server.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(server.wait_closed(), 1)


async def collect(adapter: Adapter, request: CompletionRequest = REQUEST) -> list[Event]:
    async with aclosing(adapter.stream(request)) as stream:
        return [event async for event in stream]


async def reply_to(vendor: str, *writes: bytes, **fields: Any) -> list[Event]:
    """The events of a vendor's reply of these bytes. Raises what the adapter raises."""
    async with raw_vendor(*writes, **fields) as server, adapter_at(vendor, server.root) as adapter:
        return await collect(adapter)


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta))


def finish_of(events: list[Event]) -> Finish:
    [finish] = [event for event in events if isinstance(event, Finish)]
    return finish
