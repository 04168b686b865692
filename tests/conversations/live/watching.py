"""A mirror's socket as a client sees it, every frame checked against those before it."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.conversations.live.servers import Server

SECONDS = 15

_ids = itertools.count(1)

Frame = dict[str, Any]


def new_id() -> str:
    return f"session-live-{next(_ids)}"


class Watching:
    """messages: what a client that takes in every frame shows, by id; frames: all that came"""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.frames: list[Frame] = []
        self.messages: dict[str, dict[str, Any]] = {}

    async def next(self) -> Frame:
        async with asyncio.timeout(SECONDS):
            frame: Frame = json.loads(await self.socket.recv())
        self.frames.append(frame)
        self._take_in(frame)
        return frame

    async def until(self, condition: Callable[[Frame], object]) -> Frame:
        while not condition(frame := await self.next()):
            pass
        return frame

    async def until_ended(self, status: str = "complete") -> dict[str, Any]:
        """The message that ended."""
        frame = await self.until(
            lambda frame: (
                frame["type"] == "message"
                and frame["message"]["status"] == status
                and frame["message"]["role"] == "assistant"
            )
        )
        return dict(frame["message"])

    async def until_text(self, text: str) -> None:
        """Until some message that streams shows this text."""
        await self.until(lambda _: any(text in message["content"] for message in self.messages.values()))

    async def code(self) -> int:
        """With which the server closes, after whatever it still sends."""
        async with asyncio.timeout(SECONDS):
            try:
                while True:
                    self.frames.append(json.loads(await self.socket.recv()))
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else 1006

    def kinds(self) -> list[str]:
        """Types of all frames, runs of deltas as one."""
        return [kind for kind, _ in itertools.groupby(frame["type"] for frame in self.frames)]

    def of(self, kind: str) -> list[Frame]:
        return [frame for frame in self.frames if frame["type"] == kind]

    def _take_in(self, frame: Frame) -> None:
        match frame["type"]:
            case "snapshot":
                self.messages = {message["id"]: message for message in frame["messages"]}
            case "message":
                message = frame["message"]
                known = self.messages.get(message["id"])
                if known is not None:
                    assert known["content"] == message["content"], "an end that was not preceded by all its text"
                self.messages[message["id"]] = message
            case "delta":
                message = self.messages[frame["message_id"]]
                assert message["status"] == "streaming", "text after the end"
                assert frame["position"] == len(message["content"]) + len(frame["content"]), "a gap or an overlap"
                message["content"] += frame["content"]


@asynccontextmanager
async def watching(server: Server, conversation_id: str, **options: Any) -> AsyncIterator[Watching]:
    async with connect(
        server.socket_url(conversation_id), max_size=None, close_timeout=1, proxy=None, **options
    ) as socket:
        yield Watching(socket)


async def say(
    server: Server, conversation_id: str, text: str = "Hello", *, headers: dict[str, str] | None = None, **fields: Any
) -> httpx.Response:
    """A whole turn, its stream read to the end."""
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        body = {"messages": [{"role": "user", "content": text}], "conversation_id": conversation_id, **fields}
        return await client.post(f"{server.url}/chat/gpt", json=body, headers=headers)


async def post(server: Server, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        return await client.post(f"{server.url}{path}", json=body or {})


async def get(server: Server, path: str) -> Any:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        return (await client.get(f"{server.url}{path}")).json()
