"""Text that is given away where the socket is read, without a turn of the reader's task."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import uvloop

from providers.base import Adapter
from providers.errors import Disconnected, Malformed, ProviderError
from providers.events import Delta, Event
from tests.providers.certificates import server_context
from tests.providers.rawvendor import DELTAS, ENDS, OPENINGS, REQUEST, VENDORS, adapter_at, finish_of, raw_vendor

every_vendor = pytest.mark.parametrize("vendor", VENDORS)


class Heard:
    """What came, in its order: strings where they were pushed, events where they were yielded."""

    def __init__(self, takes: Callable[[str], bool] = lambda _: True) -> None:
        self.all: list[str | Event] = []
        self._takes = takes

    def push(self, text: str) -> bool:
        taken = self._takes(text)
        if taken:
            self.all.append(text)
        return taken

    async def read(self, adapter: Adapter) -> None:
        async with aclosing(adapter.stream(REQUEST, self.push)) as stream:
            async for event in stream:
                self.all.append(event)

    @property
    def texts(self) -> list[str | Delta]:
        return [each for each in self.all if isinstance(each, str | Delta)]


def saying(vendor: str, *texts: bytes) -> tuple[bytes, ...]:
    return (OPENINGS[vendor], *(DELTAS[vendor] % text for text in texts), ENDS[vendor])


async def heard(vendor: str, *writes: bytes, takes: Callable[[str], bool] = lambda _: True, **fields: Any) -> Heard:
    found = Heard(takes)
    async with raw_vendor(*writes, **fields) as server, adapter_at(vendor, server.root) as adapter:
        await found.read(adapter)
    return found


async def heard_until_failure(vendor: str, *writes: bytes) -> tuple[list[str | Delta], type[ProviderError]]:
    found = Heard()
    async with raw_vendor(*writes) as server, adapter_at(vendor, server.root) as adapter:
        with pytest.raises(ProviderError) as failure:
            await found.read(adapter)
    return found.texts, failure.type


@every_vendor
async def test_it_pushes_the_text_and_yields_the_end(vendor: str) -> None:
    found = await heard(vendor, *saying(vendor, b"a", b"b", b"c"))
    assert found.texts == ["a", "b", "c"]
    assert finish_of([each for each in found.all if not isinstance(each, str)]).reason == "stop"


@every_vendor
async def test_it_yields_what_is_not_taken_in_its_order(vendor: str) -> None:
    found = await heard(vendor, *saying(vendor, b"a", b"b", b"c"), takes=lambda text: text != "b")
    assert found.texts == ["a", Delta("b"), "c"]


@every_vendor
async def test_it_pushes_the_text_before_an_error_in_the_same_read(vendor: str) -> None:
    bad = DELTAS[vendor] % b"b" + b"data: garbage\n\n"
    assert await heard_until_failure(vendor, *saying(vendor, b"a")[:-1], bad) == (["a", "b"], Malformed)


@every_vendor
async def test_it_says_that_a_reply_was_cut_off(vendor: str) -> None:
    assert await heard_until_failure(vendor, *saying(vendor, b"a", b"b")[:-1]) == (["a", "b"], Disconnected)


@every_vendor
async def test_it_says_that_a_connection_was_lost(vendor: str) -> None:
    found = Heard()
    writes = saying(vendor, b"a", b"b")[:-1]
    async with raw_vendor(*writes, ends=False) as server, adapter_at(vendor, server.root) as adapter:
        reading = asyncio.create_task(found.read(adapter))
        async with asyncio.timeout(5):
            while len(found.texts) < 2:  # noqa: ASYNC110  (nobody tells)
                await asyncio.sleep(0.01)
        server.cut()
        with pytest.raises(Disconnected):
            await asyncio.wait_for(reading, 5)
    assert found.texts == ["a", "b"]


@every_vendor
async def test_it_pushes_what_is_compressed(vendor: str) -> None:
    packed = gzip.compress(b"".join(saying(vendor, b"a", b"b")))
    middle = len(packed) // 2
    found = await heard(vendor, packed[:middle], packed[middle:], headers=b"content-encoding: gzip\r\n")
    assert "".join(each for each in found.texts if isinstance(each, str)) == "ab"


@every_vendor
async def test_a_push_that_breaks_breaks_the_reply(vendor: str) -> None:
    def broken(text: str) -> bool:
        raise ZeroDivisionError

    with pytest.raises(ProviderError):
        await heard(vendor, *saying(vendor, b"a", b"b"), takes=broken)


@every_vendor
async def test_it_keeps_the_connection_for_the_next_request(vendor: str) -> None:
    async with raw_vendor(*saying(vendor, b"a", b"b")) as server, adapter_at(vendor, server.root) as adapter:
        for _ in range(3):
            found = Heard()
            await found.read(adapter)
            assert found.texts == ["a", "b"]
    assert (len(server.requests), server.connections) == (3, 1)


@every_vendor
async def test_it_closes_the_vendors_stream_with_its_own(vendor: str) -> None:
    found = Heard(lambda text: text == "a")
    writes = saying(vendor, b"a", b"b")[:-1]
    async with raw_vendor(*writes, ends=False) as server, adapter_at(vendor, server.root) as adapter:
        async with aclosing(adapter.stream(REQUEST, found.push)) as stream:
            assert await anext(stream) == Delta("b")
        await asyncio.wait_for(server.left.wait(), 2)


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
    writer.close()


@asynccontextmanager
async def tunnel() -> AsyncIterator[tuple[str, list[bytes]]]:
    """A proxy that connects its clients with whom they name: its address, and what it was asked."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        host, port = asked[-1].split()[1].decode().split(":")
        there = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.gather(pass_on(reader, there[1]), pass_on(there[0], writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
    finally:
        server.close()


@pytest.mark.parametrize("tunnelled", [False, True])
@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_it_pushes_what_is_encrypted(
    run: Any, tunnelled: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, trusted = server_context(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))

    async def ask() -> None:
        async with tunnel() as (proxy, asked), raw_vendor(*saying("openai", b"a", b"b"), tls=context) as server:
            monkeypatch.setenv("https_proxy", proxy if tunnelled else "")
            monkeypatch.setenv("no_proxy", "")
            async with adapter_at("openai", server.root) as adapter:
                for _ in range(2):
                    found = Heard()
                    await found.read(adapter)
                    assert found.texts == ["a", "b"]
            assert (server.connections, len(asked)) == (1, int(tunnelled))

    run(ask())
