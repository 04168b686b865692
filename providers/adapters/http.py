"""How the adapters reach their vendors: one pooled client for an SDK to send with, and the raw reads of its answers.

An SDK authenticates, builds its request and raises its errors; what it would do to a stream we do not want. So the
client that we hand to it keeps a streamed answer for us, and gives the SDK an empty one.
"""

from __future__ import annotations

import asyncio
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

Take = Callable[[bytes], bool]
"""Is given what the socket brought; False where whoever reads is to do something about it."""

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
async def reading(ask: Callable[[Q], Awaitable[object]], request: Q) -> AsyncIterator[Body]:
    """Have an SDK ask with a client of ours, and give the body of the answer.

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
        body = Body(response)
        try:
            yield body
        finally:
            body.leave()


class Body(asyncio.Protocol):
    """The body of a response, decompressed where it was compressed.

    It sits between socket and aiohttp, so that it can give away what aiohttp has made of a read there and then: without
    a turn of the event loop and of the reader's task, which cost more than all else that is done to it.
    """

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._content = response.content
        self._waiting: tuple[Take, asyncio.Future[bool]] | None = None
        self._transport: asyncio.Transport | None = None
        connection = response.connection  # none any more where all has come already
        if connection is not None and connection.protocol is not None:
            self._protocol = connection.protocol
            self._transport = self._protocol.transport
        if self._transport is not None:
            self._transport.set_protocol(self)

    async def read(self, take: Take) -> bool:
        """Give `take` what comes until it returns False, which is True here, or nothing more comes, which is False.

        Raises what aiohttp raises.
        """
        over = self._give(take)
        if over is None:
            waiter = asyncio.get_running_loop().create_future()
            self._waiting = take, waiter
            try:
                over = await waiter
            finally:
                self._waiting = None
        return over

    def leave(self) -> None:
        """Let aiohttp have its connection back."""
        if self._transport is not None:
            self._transport.set_protocol(self._protocol)
            self._transport = None

    def _give(self, take: Take) -> bool | None:
        """As `read` answers; None where more is to come."""
        content = self._content
        ended = content.is_eof()
        while data := content.read_nowait():
            if not take(data):
                return True
        return False if ended else None

    def _look(self) -> None:
        if self._waiting is None:
            return
        take, waiter = self._waiting
        if waiter.done():
            return
        try:
            over = self._give(take)
        except Exception as error:  # noqa: BLE001 - for whoever reads
            waiter.set_exception(error)
        else:
            if over is not None:
                waiter.set_result(over)

    # -- what the socket has to tell --------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        self._protocol.data_received(data)
        if self._content.is_eof():
            self.leave()  # at once: the next request may already be given this connection
        self._look()

    def eof_received(self) -> None:
        self._protocol.eof_received()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._protocol.connection_lost(exc)
        self._look()

    def pause_writing(self) -> None:
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        self._protocol.resume_writing()


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
