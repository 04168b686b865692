"""Providers that play a script, for tests of what stands above an adapter."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from providers.base import Provider, Push, keep
from providers.errors import VendorFailed
from providers.events import Delta, Event, Finish, Usage
from providers.messages import CompletionRequest, Message

REQUEST = CompletionRequest(messages=[Message("user", "Hello")], model="any")
REPLY = (Delta("Hel"), Delta("lo"), Usage(3, 2), Finish("stop", "stop"))
HANG = "hang"
ENDLESS = "endless"

Step = Event | Exception | str | Callable[[], None]


class Scripted:
    """Yields events, raises exceptions, calls functions, hangs or floods, as its script says step by step."""

    def __init__(self, *script: Step) -> None:
        self.script = script
        self.asked: list[CompletionRequest] = []
        self.closed = 0

    async def stream(self, request: CompletionRequest, push: Push = keep) -> AsyncGenerator[Event, None]:
        self.asked.append(request)
        try:
            for step in self.script:
                if step == HANG:
                    await asyncio.Event().wait()
                elif isinstance(step, Exception):
                    raise step
                elif callable(step):
                    step()
                while step == ENDLESS:
                    yield Delta("more ")
                    await asyncio.sleep(0)
                if isinstance(step, Delta | Usage | Finish):
                    yield step
        finally:
            self.closed += 1


def answering() -> Scripted:
    return Scripted(*REPLY)


def hanging() -> Scripted:
    return Scripted(HANG)


def failing() -> Scripted:
    return Scripted(VendorFailed("The vendor is overloaded.", status=529))


async def read_into(events: list[Event], provider: Provider) -> None:
    """Append the events of a reply one by one, so that those before a failure are there, too."""
    async with aclosing(provider.stream(REQUEST)) as stream:
        async for event in stream:
            events.append(event)  # noqa: PERF401  (a comprehension would lose them)


class Clock:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
