"""Plays a script: what is sent, when, and how it goes wrong."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import cycle, islice
from typing import Any

from providers.simulator.book import Exchange
from providers.simulator.scripts import Script
from providers.simulator.vendor import Refusal, Reply, Vendor, dumps

Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

TRANSPORT = "simulator.transport"
"""The extension of the ASGI scope under which the server gives the connection's transport, to be closed or reset."""

BLOCK = 64 * 1024
SPLIT_PAUSE = 0.005
NO_SSE = b"<!DOCTYPE html><html><body><h1>Bad gateway</h1>\xff\xfe\x00\xc3</body></html>"
NO_JSON = b'{"broken": '
MESSAGES = {
    400: "The simulator was asked to refuse this request.",
    401: "Incorrect API key provided.",
    403: "This key has no permission for this.",
    404: "Not found.",
    429: "Rate limit reached. Please try again later.",
    529: "Overloaded",
}


class Player:
    """One exchange's answer."""

    def __init__(self, vendor: Vendor, exchange: Exchange, send: Send, scope: dict[str, Any], request_id: str) -> None:
        self.vendor = vendor
        self.exchange = exchange
        self.scope = scope
        self.request_id = request_id
        self._send = send

    async def play(self, reply: Reply) -> None:
        script = reply.script
        if script.headers_delay:
            await asyncio.sleep(script.headers_delay)
        if script.status and script.fault is None:
            await self.refuse(_refusal(script), script.retry_after)
        elif script.fault and script.after < 0:
            await self._strike_early(reply)
        elif reply.ask.stream:
            await self._stream(reply)
        else:
            await self._whole(reply)

    async def refuse(self, refusal: Refusal, retry_after: float | None = None) -> None:
        headers = [] if retry_after is None else [(b"retry-after", f"{retry_after:g}".encode())]
        await self.json(self.vendor.error(refusal, self.request_id), refusal.status, headers)

    async def json(self, value: object, status: int = 200, headers: Headers | None = None) -> None:
        body = dumps(value)
        await self._begin(status, self.vendor.json_type, [*(headers or []), _length(body)])
        await self._end(body)

    async def _begin(self, status: int, content_type: str, headers: Headers) -> None:
        self.exchange.status = status
        kind = [(b"content-type", content_type.encode())]
        all_headers = kind + self.vendor.headers(self.request_id) + headers
        await self._send({"type": "http.response.start", "status": status, "headers": all_headers})

    async def _write(self, data: bytes) -> None:
        if data:
            await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def _end(self, data: bytes = b"") -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": False})
        self.exchange.close("finished")

    async def _stream(self, reply: Reply) -> None:
        script = reply.script
        await self._begin(200, self.vendor.stream_type, [(b"cache-control", b"no-cache")])
        await self._write(self.vendor.opening(reply))
        if not (script.fault and script.after == 0):
            await asyncio.sleep(script.first_delay)
            await (self._burst(reply) if script.burst else self._pace(reply))
        if script.fault:
            await self._strike(reply)
        else:
            await self._end(self.vendor.closing(reply))

    async def _pace(self, reply: Reply) -> None:
        """A write and a timer per delta."""
        script, delay = reply.script, reply.script.pace
        write = self._write_split if script.split_utf8 else self._write
        head, tail = self.vendor.around(reply)
        for number, body in enumerate(_until_fault(_bodies(self.vendor, reply), script)):
            if number:
                await asyncio.sleep(delay)
            await write(head + body + tail)
            self.exchange.chunks += 1

    async def _burst(self, reply: Reply) -> None:
        """Many deltas in a write."""
        head, tail = self.vendor.around(reply)
        bodies = _until_fault(_bodies(self.vendor, reply), reply.script)
        while batch := list(islice(bodies, 500)):
            block = head + (tail + head).join(batch) + tail
            for start in range(0, len(block), BLOCK):
                await self._write(block[start : start + BLOCK])
            self.exchange.chunks += len(batch)
            await asyncio.sleep(0)

    async def _write_split(self, frame: bytes) -> None:
        """Two writes, cut within the first multibyte character, where there is one."""
        cut = next((place + 1 for place, byte in enumerate(frame) if byte >= 0xC0), 0)
        await self._write(frame[:cut])
        if cut:
            await asyncio.sleep(SPLIT_PAUSE)
        await self._write(frame[cut:])

    async def _whole(self, reply: Reply) -> None:
        """All at once, after the time a script says it took; an echo is there at once."""
        script = reply.script
        await asyncio.sleep(script.first_delay + (script.delay or 0) * max(0, len(reply.deltas) - 1))
        if script.fault in ("drop", "reset"):
            body = dumps(self.vendor.whole(reply))
            await self._begin(200, self.vendor.json_type, [_length(body)])
            await self._write(body[: len(body) // 2])
            await self._strike(reply)
        elif script.fault and script.fault != "end":
            await self._strike_early(reply)
        else:
            await self.json(self.vendor.whole(reply))

    async def _strike_early(self, reply: Reply) -> None:
        """A fault before any header, or instead of a reply."""
        script = reply.script
        if script.fault == "error":
            await self.refuse(_refusal(script), script.retry_after)
        elif script.fault == "bad_json" and not reply.ask.stream:
            await self._begin(script.status or 200, self.vendor.json_type, [])
            await self._end(NO_JSON)
        elif script.fault in ("bad_json", "not_sse", "end"):
            kind = "text/html" if script.fault == "not_sse" else self.vendor.stream_type
            await self._begin(script.status or 200, kind, [])
            await self._strike(reply)
        else:
            await self._strike(reply)

    async def _strike(self, reply: Reply) -> None:
        fault = reply.script.fault
        if fault == "stall":
            await _for_ever()
        elif fault in ("drop", "reset"):
            await self._hang_up(reset=fault == "reset")
        elif fault == "error":
            await self._end(self.vendor.error_frame(_refusal(reply.script), self.request_id))
        elif fault == "bad_json":
            await self._end(self.vendor.around(reply)[0] + NO_JSON + b"\n\n")
        else:
            await self._end(NO_SSE if fault == "not_sse" else b"")

    async def _hang_up(self, *, reset: bool) -> None:
        """Close the connection under the response. The watcher then cancels this task: nothing is left to do."""
        transport = self.scope["extensions"][TRANSPORT]
        # What was written before belongs to the client; a reset would throw away what is still in the transport.
        await asyncio.sleep(SPLIT_PAUSE)
        self.exchange.close("dropped")
        if reset:
            linger = struct.pack("ii", 1, 0)
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            transport.abort()
        else:
            transport.close()
        await _for_ever()


async def _for_ever() -> None:
    await asyncio.get_running_loop().create_future()


def _length(body: bytes) -> tuple[bytes, bytes]:
    return (b"content-length", str(len(body)).encode())


def _refusal(script: Script) -> Refusal:
    status = script.status or 500
    message = script.message if script.message is not None else MESSAGES.get(status, "The simulator was asked to fail.")
    return Refusal(status, message)


def _bodies(vendor: Vendor, reply: Reply) -> list[bytes]:
    """The encoded deltas, remembered where they are the same for every request."""
    if reply.script.echoes:
        return vendor.bodies(reply.deltas, reply.script)
    return _remembered(vendor.bodies, reply.script)


@lru_cache(maxsize=64)
def _remembered(encode: Callable[[Sequence[str], Script], list[bytes]], script: Script) -> list[bytes]:
    return encode(script.deltas(), script)


def _until_fault(bodies: list[bytes], script: Script) -> Iterator[bytes]:
    deltas: Iterable[bytes] = cycle(bodies) if script.endless else bodies
    return islice(deltas, script.after) if script.fault else iter(deltas)
