"""The clients: a process of its own that costs far less than any server it asks.

    python -m bench.load '{"port": 8000, "path": "/chat/gpt", …}'      (`Plan`)

It says `ready`, waits for a line, asks, says `done`, and at last prints a `Result`, for which it has read all it
received. During the measurement it only keeps bytes.
"""

from __future__ import annotations

import asyncio
import sys
import time
from secrets import token_hex
from typing import Any

import msgspec
import uvloop

from bench import replies

HEAD = (
    b"POST %b HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer key\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
)
END = b"\r\n0\r\n\r\n"
SECONDS = 120.0
"""After so long a round is given up."""

HISTORIES = 50
"""So many stored replies are compared with what was sent."""


class Plan(msgspec.Struct):
    """expected: the reply's whole text;  opening: how it begins, which is what the first token is known by"""

    port: int
    path: str
    body: dict[str, Any]
    stored: bool
    clients: int
    requests: int
    spread: float
    expected: str
    opening: str


class Result(msgspec.Struct):
    """cpu: seconds of this process while it asked;  first: ms to the first token;  together: whether all streams were
    open at one moment"""

    cpu: float
    seconds: float
    first: list[float]
    together: bool
    problems: list[str]


class Client(asyncio.Protocol):
    """One connection. It asks again when a reply has ended, as often as it should."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.opening = plan.opening.encode()
        self.left = plan.requests
        self.conversations: list[str] = []
        self.received: list[list[bytes]] = []
        self.asked: list[float] = []
        self.first: list[float] = []
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        self.left -= 1
        self.parts: list[bytes] = []
        self.received.append(self.parts)
        self.waiting = True
        question = self.question()
        self.asked.append(time.perf_counter())
        self.transport.write(question)

    def question(self) -> bytes:
        body = dict(self.plan.body)
        if self.plan.stored:
            self.conversations.append(f"bench-{token_hex(16)}")
            body["conversation_id"] = self.conversations[-1]
        content = msgspec.json.encode(body)
        return HEAD % (self.plan.path.encode(), len(content)) + content

    def data_received(self, data: bytes) -> None:
        parts = self.parts
        parts.append(data)
        if self.waiting:
            if self.opening in data:
                self.waiting = False
                self.first.append(time.perf_counter())
            elif len(parts) == 1 and not data.startswith(b"HTTP/1.1 200"):
                self.finish()
                return
        if data.endswith(END) or (len(data) < len(END) and b"".join(parts[-3:]).endswith(END)):
            self.ask() if self.left else self.finish()

    def connection_lost(self, error: Exception | None) -> None:
        self.finish()

    def finish(self) -> None:
        if not self.ended.done():
            self.ended.set_result(time.perf_counter())
            self.transport.abort()


async def ask_all(plan: Plan) -> list[Client]:
    loop = asyncio.get_running_loop()
    clients = [Client(plan) for _ in range(plan.clients)]

    async def begin(client: Client, after: float) -> None:
        await asyncio.sleep(after)
        await loop.create_connection(lambda: client, "127.0.0.1", plan.port)
        await client.ended

    async with asyncio.timeout(SECONDS):
        await asyncio.gather(*(begin(each, plan.spread * i / plan.clients) for i, each in enumerate(clients)))
    return clients


def judged(plan: Plan, clients: list[Client], cpu: float, seconds: float) -> Result:
    problems = [f"{len(each.received)} of {plan.requests} answers" for each in clients if each.left]
    raw = [b"".join(parts) for each in clients for parts in each.received]
    problems += [wrong for each in raw if (wrong := replies.problem(each, plan.expected))]
    conversations = [name for each in clients for name in each.conversations]
    for name in conversations[:: len(conversations) // HISTORIES + 1]:
        problems += [wrong for wrong in [replies.stored_problem(plan.port, name, plan.expected)] if wrong]
    first = [(came - asked) * 1000 for each in clients for asked, came in zip(each.asked, each.first, strict=False)]
    last_to_begin = max((each.first[0] for each in clients if each.first), default=0.0)
    together = last_to_begin < min(each.ended.result() for each in clients)
    return Result(cpu, seconds, first, together, problems)


def main() -> None:
    plan = msgspec.json.decode(sys.argv[1], type=Plan)
    print("ready", flush=True)
    sys.stdin.readline()
    cpu, began = time.process_time(), time.perf_counter()
    clients = uvloop.run(ask_all(plan))
    cpu, seconds = time.process_time() - cpu, time.perf_counter() - began
    print("done", flush=True)
    sys.stdin.readline()
    print(msgspec.json.encode(judged(plan, clients, cpu, seconds)).decode(), flush=True)


if __name__ == "__main__":
    main()
