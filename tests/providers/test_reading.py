"""The client that SDKs are given: what it keeps for us, and what they get in its place."""

from __future__ import annotations

import asyncio

import pytest
from httpx2 import Response

from providers.adapters import http
from tests.providers.rawvendor import DELTAS, config, raw_vendor

HELLO = DELTAS["openai"] % b"Hello"


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

        async with http.reading(ask, server.root) as read_next:
            read = [await read_next(), await read_next()]
    assert (seen[0].status_code, seen[0].content, read) == (200, b"", [HELLO, b""])


async def test_a_refusal_keeps_its_headers() -> None:
    """An SDK reads its request's id there, and whether the body is JSON."""
    headers = b"content-type: application/json\r\nx-request-id: abc\r\n"
    async with (
        raw_vendor(b"{}", status=b"429 Too Many Requests", headers=headers) as server,
        http.client(config("openai", server.root)) as client,
    ):
        response = await client.post(server.root)
    assert (response.headers["x-request-id"], response.json()) == ("abc", {})
