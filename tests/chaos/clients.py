"""Clients as they are out there: they read a little, lose their connection, and come back."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

PATIENT = httpx.Timeout(60)
TEXT_ENOUGH = 15
"""Deltas after which some of them are surely stored, at the pace of these tests."""


@dataclass
class Seen:
    """What one client saw of one reply. arrivals: (when, position after it), in `time.monotonic` seconds"""

    message_id: str = ""
    status: int = 0
    text: str = ""
    position: int = 0
    errors: list[str] = field(default_factory=list)
    done: bool = False
    arrivals: list[tuple[float, int]] = field(default_factory=list)

    def take(self, event: dict[str, str]) -> None:
        self.position = int(event["id"])
        if event["data"] == "[DONE]":
            self.done = True
            return
        chunk = json.loads(event["data"])
        if "error" in chunk:
            self.errors.append(chunk["error"])
            return
        self.text += chunk["delta"]["content"]
        assert len(self.text) == self.position, "a position is the number of code points so far"
        self.arrivals.append((time.monotonic(), self.position))

    def first_arrival_after(self, position: int) -> float | None:
        """When the first text beyond a position came."""
        return next((when for when, after in self.arrivals if after > position), None)


def question(text: str, conversation: str, **fields: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], "conversation_id": conversation, **fields}


async def read(response: httpx.Response, seen: Seen, *, until: int | None = None) -> Seen:
    """Take a stream's events until it ends, or until the position `until` is reached."""
    event: dict[str, str] = {}
    async for line in response.aiter_lines():
        if not line:
            if "data" in event:
                seen.take(event)
            event = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            event[name] = value
        if seen.done or (until is not None and seen.position >= until):
            break
    return seen


async def under_way(client: httpx.AsyncClient, url: str, body: dict[str, Any]) -> asyncio.Task[Seen]:
    """Ask, and return once some text has come."""
    seen = Seen()
    asking = asyncio.create_task(ask(client, url, body, seen=seen))
    while len(seen.arrivals) < TEXT_ENOUGH and not asking.done():  # noqa: ASYNC110 - the reader tells nobody
        await asyncio.sleep(0.01)
    assert seen.arrivals, f"{seen.status}: {seen.errors}"
    return asking


async def ask(
    client: httpx.AsyncClient,
    url: str,
    body: dict[str, Any],
    *,
    until: int | None = None,
    key: str = "",
    seen: Seen | None = None,
) -> Seen:
    """Stream a reply; what was seen when the connection broke is returned as well. seen: where to note it meanwhile"""
    seen = seen or Seen()
    headers = {"Idempotency-Key": key} if key else {}
    try:
        async with client.stream("POST", f"{url}/chat/gpt", json=body, headers=headers) as response:
            seen.status = response.status_code
            seen.message_id = response.headers.get("x-message-id", "")
            if response.status_code == 200:
                await read(response, seen, until=until)
            else:
                seen.errors.append((await response.aread()).decode())
    except httpx.TransportError:
        pass
    return seen


async def rejoin(client: httpx.AsyncClient, url: str, seen: Seen) -> Seen:
    """Go on where the client was, on any server; a 204 means that it has seen all."""
    path = f"{url}/chat/messages/{seen.message_id}/stream"
    async with client.stream("GET", path, headers={"Last-Event-ID": str(seen.position)}) as response:
        if response.status_code == 204:
            seen.done = True
        elif response.status_code == 200:
            await read(response, seen)
        else:
            await response.aread()
            raise AssertionError(f"{response.status_code}: {response.text}")
    return seen


async def settled(client: httpx.AsyncClient, url: str, conversation: str, seconds: float = 40) -> list[dict[str, Any]]:
    """A conversation's history, once nothing in it streams any more."""
    deadline = time.monotonic() + seconds
    while True:
        response = await client.get(f"{url}/chat/history/{conversation}")
        messages: list[dict[str, Any]] = response.json().get("messages", [])
        if not any(message.get("status") == "streaming" for message in messages):
            return messages
        assert time.monotonic() < deadline, f"{conversation} is stuck: {messages[-2:]}"
        await asyncio.sleep(0.2)
