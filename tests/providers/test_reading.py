"""The client that SDKs are given: what it keeps for us, and what they get in its place."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
from httpx2 import Response

from providers.adapters import http
from tests.providers.rawvendor import DELTAS, config, raw_vendor

HELLO = DELTAS["openai"] % b"Hello"


def keep(read: list[bytes], data: bytes) -> bool:
    read.append(data)
    return True


async def test_a_response_that_nobody_came_to_read_is_closed() -> None:
    async with raw_vendor(HELLO, ends=False) as server, http.client(config("openai", server.root)) as client:

        async def ask(url: str) -> None:
            assert (await client.post(url)).status_code / 0

        with pytest.raises(ZeroDivisionError):
            async with http.reading(ask, server.root):
                pass
        await asyncio.wait_for(server.left.wait(), 2)


async def test_a_response_that_is_kept_is_empty_for_the_sdk() -> None:
    seen: list[Response] = []
    async with raw_vendor(HELLO) as server, http.client(config("openai", server.root)) as client:

        async def ask(url: str) -> None:
            seen.append(await client.post(url))

        read: list[bytes] = []
        async with http.reading(ask, server.root) as body:
            assert not await body.read(partial(keep, read))
    assert (seen[0].status_code, seen[0].content, read) == (200, b"", [HELLO])


async def test_a_reader_that_gives_up_misses_nothing() -> None:
    read: list[bytes] = []
    async with (
        raw_vendor(b"a", b"b") as server,
        http.client(config("openai", server.root)) as client,
        http.reading(client.post, server.root) as body,
    ):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(body.read(partial(keep, read)), 0)
        while await body.read(lambda data: keep(read, data) and False):
            pass
    assert b"".join(read) == b"ab"


async def test_a_slow_reader_does_not_take_the_connection_from_the_next_request() -> None:
    """The connection is free once all has come, which may be long before its reader has seen that."""
    slow: list[bytes] = []
    read: list[bytes] = []
    async with (
        raw_vendor(b"a", b"b", b"c") as server,
        http.client(config("openai", server.root)) as client,
        http.reading(client.post, server.root) as first,
    ):
        assert await first.read(lambda data: keep(slow, data) and False)
        await server.answered.wait()
        await asyncio.sleep(0.1)  # and arrived
        async with http.reading(client.post, server.root) as second:
            while await first.read(partial(keep, slow)):
                pass
            assert not await asyncio.wait_for(second.read(partial(keep, read)), 5)
    assert (b"".join(slow), b"".join(read), server.connections) == (b"abc", b"abc", 1)


async def test_a_refusal_keeps_its_headers() -> None:
    """An SDK reads its request's id there, and whether the body is JSON."""
    headers = b"content-type: application/json\r\nx-request-id: abc\r\n"
    async with (
        raw_vendor(b"{}", status=b"429 Too Many Requests", headers=headers) as server,
        http.client(config("openai", server.root)) as client,
    ):
        response = await client.post(server.root)
    assert (response.headers["x-request-id"], response.json()) == ("abc", {})
