"""The simulator's ASGI app: routes, the exchange of one request, and what becomes of it when the client leaves."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from providers.simulator import control
from providers.simulator.anthropic_api import Anthropic
from providers.simulator.book import Book, Exchange
from providers.simulator.gemini_api import Gemini
from providers.simulator.openai_api import OpenAI
from providers.simulator.player import Player, Send
from providers.simulator.vendor import Ask, Json, Refusal, Reply, Route, Vendor

Receive = Callable[[], Awaitable[dict[str, Any]]]

TITLES = {"openai": "OpenAI", "anthropic": "Anthropic", "gemini": "Google"}


class App:
    def __init__(self, book: Book | None = None) -> None:
        self.book = book or Book()
        self.vendors: dict[str, Vendor] = {vendor.name: vendor for vendor in (OpenAI(), Anthropic(), Gemini())}

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = await _body(receive)
        name, _, path = scope["path"].lstrip("/").partition("/")
        vendor = self.vendors.get(name)
        if vendor is not None:
            await self._exchange(vendor, f"/{path}", body, scope, receive, send)
        else:
            await control.answer(self.book, scope["method"], scope["path"], body, send)

    async def _exchange(
        self, vendor: Vendor, path: str, body: bytes, scope: dict[str, Any], receive: Receive, send: Send
    ) -> None:
        query = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1")))
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        exchange = Exchange(vendor.name, scope["method"], path, query, headers, body)
        self.book.keep(exchange)
        player = Player(vendor, exchange, send, scope, secrets.token_hex(12))
        task = asyncio.current_task()
        assert task is not None
        watcher = asyncio.ensure_future(_watch(receive, exchange, task))
        try:
            await self._answer(player, path, body, query, headers)
        except asyncio.CancelledError:
            # Ours, because the connection is gone: there is nobody to tell. Anyone else's goes on.
            if exchange.state not in ("client_closed", "dropped"):
                raise
        finally:
            watcher.cancel()

    async def _answer(
        self, player: Player, path: str, body: bytes, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> None:
        vendor, exchange = player.vendor, player.exchange
        route = vendor.route(exchange.method, path)
        exchange.model = route.model
        if not route.action:
            await player.refuse(Refusal(404, f"Invalid URL ({exchange.method} {path})"))
        elif not vendor.has_key(headers, query):
            await player.refuse(Refusal(401, "You didn't provide an API key: any will do for the simulator."))
        elif route.action == "chat":
            await self._chat(player, route, body, headers)
        elif route.action == "models":
            await player.json(vendor.models())
        else:
            found = vendor.model(route.model)
            await (player.json(found) if found else player.refuse(vendor.unknown_model(route.model)))

    async def _chat(self, player: Player, route: Route, body: bytes, headers: Mapping[str, str]) -> None:
        vendor = player.vendor
        parsed = _parse(body)
        if parsed is None:
            await player.refuse(Refusal(400, "We could not parse the JSON body of your request."))
            return
        ask = vendor.read(route, parsed, headers)
        player.exchange.model = ask.model
        refusal = vendor.refuse(ask)
        if refusal is not None:
            await player.refuse(refusal)
            return
        script = self.book.script_for(vendor.name, ask.model, ask.prompt)
        await player.play(Reply(ask, script, script.deltas(_echo(vendor.name, ask))))


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _watch(receive: Receive, exchange: Exchange, task: asyncio.Task[Any]) -> None:
    """Stop the answer as soon as the connection is gone, also while it waits or stalls."""
    while (await receive())["type"] != "http.disconnect":
        pass
    # The server reports the end of a response in the same way.
    if exchange.state != "finished":
        exchange.close("client_closed")
        task.cancel()


def _parse(body: bytes) -> Json | None:
    try:
        value = json.loads(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _echo(vendor: str, ask: Ask) -> str:
    return f"This is the Dialogix simulator standing in for {TITLES[vendor]} {ask.model}. You said: {ask.prompt}"
