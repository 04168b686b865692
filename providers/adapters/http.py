"""How the adapters reach their vendors: limits, and the reading of raw responses.

OpenAI's and Anthropic's SDKs bring an aiohttp client of their own and give the response away: `reading`. Google's does
neither: `KeepingTransport`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from typing import TypeVar
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx2

with suppress(ImportError):
    # The SDKs look for it in `sys.modules` with every request, and stumble over one that another thread, importing the
    # next SDK, has only half loaded. So it is there, whole, before the first of them.
    import httpx  # noqa: F401

Q = TypeVar("Q")

CONNECT_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 60.0

TIMEOUT = httpx2.Timeout(None, connect=CONNECT_SECONDS)
"""No limit on reading: whoever asks has a deadline, and a timer for every read would be paid for with every chunk."""

HEADERS = {"accept-encoding": "identity"}
"""Compression would cost us more per chunk than it saves, and holds chunks back."""


def limits(pool_size: int) -> httpx2.Limits:
    return httpx2.Limits(
        max_connections=pool_size, max_keepalive_connections=pool_size, keepalive_expiry=KEEP_ALIVE_SECONDS
    )


@asynccontextmanager
async def reading(send: Callable[[Q], Awaitable[httpx2.Response]], request: Q) -> AsyncIterator[AsyncIterator[bytes]]:
    """Send the request and give the reads of its answer, as they come from the socket where it is not compressed."""
    response = await send(request)
    try:
        if "content-encoding" in response.headers:
            yield response.aiter_bytes()
        else:
            stream = response.stream
            assert isinstance(stream, httpx2.AsyncByteStream)
            yield aiter(stream)
    finally:
        await response.aclose()


class Kept:
    """Where a transport leaves a response."""

    response: aiohttp.ClientResponse | None = None


_kept: ContextVar[Kept | None] = ContextVar("kept", default=None)


@contextmanager
def keeping() -> Iterator[Kept]:
    """Inside, the transport keeps a response with status 200 for us and gives its caller an empty one."""
    kept = Kept()
    token = _kept.set(kept)
    try:
        yield kept
    except BaseException:
        if kept.response is not None:
            kept.response.close()
        raise
    finally:
        _kept.reset(token)


class KeepingTransport(httpx2.AsyncBaseTransport):
    """Sends the requests of an httpx2 client through aiohttp, in the event loop of the first one."""

    def __init__(self, pool_size: int, *, trust_env: bool = True) -> None:
        self._pool_size = pool_size
        self._trust_env = trust_env
        self._ssl = httpx2.create_ssl_context()
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if self._session is None:
            self._session = self._open(request.url)
        response = await self._session.request(
            request.method,
            str(request.url),
            headers={**request.headers, **HEADERS},
            data=await request.aread(),
            allow_redirects=False,
        )
        kept = _kept.get()
        if kept is not None and response.status == 200:
            kept.response = response
            return httpx2.Response(200, request=request)
        async with response:
            body = await response.read()
        return httpx2.Response(response.status, content=body, request=request)

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _open(self, url: httpx2.URL) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._pool_size, keepalive_timeout=KEEP_ALIVE_SECONDS, ssl=self._ssl),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            proxy=_proxy_for(url) if self._trust_env else None,
        )


def _proxy_for(url: httpx2.URL) -> str | None:
    """As the environment says. aiohttp's own `trust_env` would read ~/.netrc in a thread for every request."""
    return None if proxy_bypass(url.host) else getproxies().get(url.scheme)
