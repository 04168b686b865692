"""Whether events come through to the public as they are sent, or whether something on the way holds them back.

A reply is made here, without a vendor, that says a word now and then; the server at the public URL follows it like any
reply of another worker, and it is read from there. Nothing of it is left behind.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import httpx
import msgspec
from django.conf import settings
from knox.models import AuthToken

from conversations import database
from conversations.api.turning import CONVERSATIONS_OWN
from conversations.commands.doctor.findings import Finding
from conversations.generations import engine
from conversations.models import User
from conversations.store import erasing
from conversations.turns import Turn
from providers.base import Push, keep
from providers.events import Delta, Event
from providers.messages import CompletionRequest, Message

TICKS = 8
INTERVAL = 0.4
"""Seconds between two words."""

PROMPT = 1.2
"""Seconds within which a word should have come: the journal, a look at it by another worker, and the way."""

CONNECTING = 5.0
PATIENCE = 30.0
SUBJECT = "proxy"
BUFFERED = (
    "Switch buffering and compression off for text/event-stream: `proxy_buffering off; gzip off;` in nginx, and what "
    "corresponds to it in the load balancer or CDN before it."
)


@dataclass(frozen=True, slots=True)
class Heard:
    """status: HTTP;  headers: lower-case;  arrivals: when each word came, by the event loop's clock"""

    status: int
    headers: httpx.Headers
    arrivals: Sequence[float]


class Ticker:
    """A provider that says a word at a time, once somebody listens."""

    def __init__(self) -> None:
        self.heard = asyncio.Event()
        self.sent: list[float] = []

    async def stream(self, request: CompletionRequest, push: Push = keep) -> AsyncGenerator[Event, None]:
        try:
            async with asyncio.timeout(CONNECTING):
                await self.heard.wait()
        except TimeoutError:
            pass  # a proxy may hold back the headers too
        for number in range(TICKS):
            await asyncio.sleep(INTERVAL)
            self.sent.append(asyncio.get_running_loop().time())
            yield Delta(str(number % 10))


async def buffering(url: str) -> Finding:
    """Time the arrival of events through a public URL, such as `https://chat.example.org`."""
    caller = await database.write(_caller) if settings.AUTH_MODE == "required" else None
    ticker, owner_id = Ticker(), caller[0] if caller else None
    turn = Turn(owner_id=owner_id, messages=(Message("user", "manage.py doctor"),), on_disconnect="cancel")
    generation = await engine.begin(turn, CONVERSATIONS_OWN, lambda _: ticker)
    begun = generation.begun.result()
    assert begun is not None
    try:
        address = f"{url.rstrip('/')}/chat/messages/{begun.message_id}/stream"
        async with asyncio.timeout(PATIENCE):
            heard = await _listen(address, ticker, caller[1] if caller else None)
    except TimeoutError:
        return Finding(SUBJECT, "problem", f"Nothing came from {url} within {PATIENCE:g} s.", BUFFERED)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        told = f"{url} cannot be reached: {type(error).__name__} {error}".rstrip()
        return Finding(SUBJECT, "problem", told, "Look at the URL, its certificate and the way to it.")
    finally:
        generation.cancel()
        await asyncio.wait([generation.task])
        await database.write(_clean_up, begun.conversation_pk, owner_id)
    return judged(heard, ticker.sent)


def judged(heard: Heard, sent: Sequence[float]) -> Finding:
    if heard.status != 200:
        return _refused(heard.status)
    if not heard.headers.get("content-type", "").startswith("text/event-stream"):
        return Finding(SUBJECT, "problem", "What answers there sends no events.", "Let the URL lead to this server.")
    delays = [arrived - said for arrived, said in zip(heard.arrivals, sent, strict=False)]
    if len(delays) < TICKS:
        told = f"The stream broke off after {len(delays)} of {TICKS} events."
        return Finding(SUBJECT, "problem", told, "Raise the proxy's read timeout beyond the heartbeat of 15 s.")
    spread = heard.arrivals[-1] - heard.arrivals[0]
    if max(delays) > PROMPT:
        held = (
            f"Events sent over {sent[-1] - sent[0]:.1f} s came within {spread:.1f} s, up to {max(delays):.1f} s late."
        )
        encoding = heard.headers.get("content-encoding")
        return Finding(
            SUBJECT, "problem", held + (f" They were compressed ({encoding})." if encoding else ""), BUFFERED
        )
    return Finding(SUBJECT, "ok", f"Events come as they are sent, {max(delays):.2f} s late at most.")


async def _listen(address: str, ticker: Ticker, token: str | None) -> Heard:
    headers = {"Accept": "text/event-stream", **({"Authorization": f"Bearer {token}"} if token else {})}
    arrivals: list[float] = []
    loop = asyncio.get_running_loop()
    async with (
        httpx.AsyncClient(timeout=PATIENCE) as client,
        client.stream("GET", address, headers=headers) as response,
    ):
        ticker.heard.set()
        if response.status_code == 200:
            # A stream that breaks off is judged by what had come until then.
            with suppress(httpx.RemoteProtocolError, httpx.ReadError):
                async for line in response.aiter_lines():
                    arrivals += [loop.time()] * _words(line)
        return Heard(response.status_code, response.headers, arrivals)


def _words(line: str) -> int:
    """How many words a line of the stream brings."""
    try:
        told = msgspec.json.decode(line.removeprefix("data: ")) if line.startswith("data: {") else {}
        return len(told.get("delta", {}).get("content", ""))
    except msgspec.DecodeError:
        return 0


def _refused(status: int) -> Finding:
    if status == 404:
        mend = "Let the URL lead to a server on the same database, and run this with the server's environment."
        return Finding(SUBJECT, "problem", "The server there does not know the reply that was made here.", mend)
    mend = "Look at the proxy's log and ours."
    if status == 400:
        mend = "Put the host that the proxy passes on, usually that of the URL, into ALLOWED_HOSTS."
    return Finding(SUBJECT, "problem", f"The URL answers with status {status}.", mend)


def _caller() -> tuple[int, str]:
    """Somebody for the minute: key and token."""
    user = User(username=f"doctor-{secrets.token_hex(8)}")
    user.set_unusable_password()
    user.save()
    return user.pk, AuthToken.objects.create(user=user, expiry=timedelta(minutes=2))[1]


def _clean_up(conversation_pk: int, owner_id: int | None) -> None:
    erasing.erase(conversation_pk)
    if owner_id is not None:
        User.objects.filter(pk=owner_id).delete()
