"""An application behind the gate, asked without a server."""

from __future__ import annotations

import asyncio
from typing import Any

from dialogix.gate import App, Gate, Receive, Scope, Send, answer


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    await answer(send, 200, b"{}")


async def broken(scope: Scope, receive: Receive, send: Send) -> None:
    raise RuntimeError("the password is hunter2")


class Answer:
    """What came back."""

    def __init__(self, sent: list[dict[str, Any]], scope: dict[str, Any]) -> None:
        self.scope = scope
        self.status = sent[0]["status"]
        self.headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        self.body = b"".join(message.get("body", b"") for message in sent[1:])


def ask(app: App, path: str = "/", peer: str = "192.0.2.1", **headers: str) -> Answer:
    """headers: `x_request_id="…"`"""
    sent: list[dict[str, Any]] = []
    fields = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": path, "client": (peer, 1), "scheme": "http", "headers": fields}

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    asyncio.run(_ask(Gate(app), scope, receive, send))
    return Answer(sent, scope)


async def _ask(gate: Gate, scope: dict[str, Any], receive: Receive, send: Send) -> None:
    await gate(scope, receive, send)
