"""How the adapters reach their vendors: one pooled client for an SDK to send with, and the raw reads of its answers.

An SDK authenticates, builds its request and raises its errors; what it would do to a stream we do not want. So the
client that we hand to it keeps a streamed answer for us, and gives the SDK an empty one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from typing import TypeVar
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx2

from providers.conf import ProviderConfig

with suppress(ImportError):
    # The SDKs look for it in `sys.modules` with every request, and stumble over one that another thread, importing the
    # next SDK, has only half loaded. So it is there, whole, before the first of them.
    import httpx  # noqa: F401

Q = TypeVar("Q")

Read = Callable[[], Awaitable[bytes]]
"""Gives what the socket brought next; nothing means the end."""

CONNECT_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 60.0

TIMEOUT = httpx2.Timeout(None, connect=CONNECT_SECONDS)
"""No limit on reading: whoever asks has a deadline, and a timer for every read would be paid for with every chunk."""

HEADERS = {"accept-encoding": "identity"}
"""Compression would cost us more per chunk than it saves, and holds chunks back."""

DECODED = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Headers that tell of a body as it was on its way, which is not how it is handed on."""


def client(config: ProviderConfig) -> httpx2.AsyncClient:
    """A client for an SDK, with connections of its own. The simulator is in this process, never behind a proxy."""
    transport = KeepingTransport(config.pool_size, trust_env=not config.simulated)
    return httpx2.AsyncClient(transport=transport, timeout=TIMEOUT, follow_redirects=True)


class Kept:
    """Where a transport leaves a response."""

    response: aiohttp.ClientResponse | None = None


_kept: ContextVar[Kept | None] = ContextVar("kept", default=None)


@asynccontextmanager
async def reading(ask: Callable[[Q], Awaitable[object]], request: Q) -> AsyncIterator[Read]:
    """Have an SDK ask with a client of ours, and give the reads of the answer, decompressed where it was compressed.

    Raises whatever the SDK or aiohttp raises.
    """
    kept = Kept()
    token = _kept.set(kept)
    try:
        await ask(request)
    except BaseException:
        if kept.response is not None:
            kept.response.close()
        raise
    finally:
        _kept.reset(token)
    response = kept.response
    assert response is not None  # the SDK was content, so there was a 200
    async with response:
        yield response.content.readany


class KeepingTransport(httpx2.AsyncBaseTransport):
    """Sends the requests of an httpx2 client through aiohttp, in the event loop of the first one.

    Inside of `reading`, a response with status 200 is kept, and the client gets an empty one.
    """

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
            headers=_headers(request),
            data=await request.aread(),
            allow_redirects=False,
        )
        kept = _kept.get()
        if kept is not None and response.status == 200:
            kept.response = response
            return httpx2.Response(200, request=request)
        async with response:
            body = await response.read()
        headers = [field for field in response.headers.items() if field[0].lower() not in DECODED]
        return httpx2.Response(response.status, headers=headers, content=body, request=request)

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


def _headers(request: httpx2.Request) -> list[tuple[str, str]]:
    """As they are: to look one up by its name costs httpx2 a walk through all of them."""
    fields = [(name.decode("ascii"), value.decode("latin-1")) for name, value in request.headers.raw]
    return [field for field in fields if field[0].lower() not in HEADERS] + list(HEADERS.items())


def _proxy_for(url: httpx2.URL) -> str | None:
    """As the environment says. aiohttp's own `trust_env` would read ~/.netrc in a thread for every request."""
    return None if proxy_bypass(url.host) else getproxies().get(url.scheme)
