"""CPU of one streamed chunk: each adapter beside its SDK's own iterator, in one run against the simulator.

    python -m bench.adapters

burst: one stream at full speed. paced: 50 streams at 50 chunks a second, each chunk a network read of its own, which is
what real traffic is. short: 20 chunks at once, one request after the other; there the request is what is paid for.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

import anthropic
import openai
import uvloop
from google import genai
from google.genai import types

from providers.adapters.anthropic import Anthropic
from providers.adapters.gemini import Gemini
from providers.adapters.openai import OpenAI
from providers.base import Adapter
from providers.conf import ProviderConfig
from providers.events import Delta
from providers.messages import CompletionRequest, Message
from tests.simulator import simulator_process

MODELS = {"openai": "gpt-4o", "anthropic": "claude-3-5-sonnet-latest", "gemini": "gemini-2.0-flash"}
ADAPTERS: dict[str, Callable[[ProviderConfig], Adapter]] = {"openai": OpenAI, "anthropic": Anthropic, "gemini": Gemini}
Ask = Callable[[str], Awaitable[int]]
"""The user's message -> how many characters came."""


class Load(NamedTuple):
    script: str
    chunks: int
    streams: int
    rounds: int


LOADS = {
    "burst": Load("[[simulate chunks=2000 burst=true]]", 2000, 1, 10),
    "paced": Load("[[simulate chunks=50 delay=0.02]]", 50, 50, 2),
    "short": Load("[[simulate chunks=20 burst=true]]", 20, 1, 100),
}


def ours(vendor: str, url: str, stack: AsyncExitStack) -> Ask:
    config = ProviderConfig("bench", vendor, "KEY", "key", url, "", "", None, None, "")
    adapter = ADAPTERS[vendor](config)
    stack.push_async_callback(adapter.aclose)

    async def ask(text: str) -> int:
        request = CompletionRequest([Message("user", text)], MODELS[vendor], max_tokens=8192)
        return sum([len(event.text) async for event in adapter.stream(request) if isinstance(event, Delta)])

    return ask


def openai_iterator(url: str, stack: AsyncExitStack) -> Ask:
    client = openai.AsyncOpenAI(api_key="key", base_url=url)
    stack.push_async_callback(client.close)

    async def ask(text: str) -> int:
        messages: Any = [{"role": "user", "content": text}]
        chunks = await client.chat.completions.create(model=MODELS["openai"], messages=messages, stream=True)
        return sum([len(chunk.choices[0].delta.content or "") async for chunk in chunks if chunk.choices])

    return ask


def anthropic_iterator(url: str, stack: AsyncExitStack) -> Ask:
    client = anthropic.AsyncAnthropic(api_key="key", base_url=url)
    stack.push_async_callback(client.close)

    async def ask(text: str) -> int:
        messages: Any = [{"role": "user", "content": text}]
        events = await client.messages.create(
            model=MODELS["anthropic"], messages=messages, max_tokens=8192, stream=True
        )
        deltas = [event.delta async for event in events if event.type == "content_block_delta"]
        return sum(len(delta.text) for delta in deltas if delta.type == "text_delta")

    return ask


def gemini_iterator(url: str, stack: AsyncExitStack) -> Ask:
    client = genai.Client(api_key="key", http_options=types.HttpOptions(base_url=url))
    stack.push_async_callback(client.aio.aclose)

    async def ask(text: str) -> int:
        chunks = await client.aio.models.generate_content_stream(model=MODELS["gemini"], contents=text)
        return sum([len(chunk.text or "") async for chunk in chunks])

    return ask


ITERATORS = {"openai": openai_iterator, "anthropic": anthropic_iterator, "gemini": gemini_iterator}


async def measure(ask: Ask, load: Load) -> float:
    """Seconds of this process's CPU per request."""
    expected = await ask(load.script)
    before = time.process_time()
    for _ in range(load.rounds):
        came = await asyncio.gather(*[ask(load.script) for _ in range(load.streams)])
        assert came == [expected] * load.streams, "a stream was not complete"
    return (time.process_time() - before) / load.rounds / load.streams


async def compare(vendor: str, url: str) -> None:
    for name, load in LOADS.items():
        async with AsyncExitStack() as stack:
            sdk = await measure(ITERATORS[vendor](url, stack), load)
            own = await measure(ours(vendor, url, stack), load)
        per_chunk = f"{sdk / load.chunks * 1e6:8.1f} {own / load.chunks * 1e6:8.1f} us/chunk"
        print(f"{vendor:10} {name:6} {per_chunk} {sdk * 1e3:9.2f} {own * 1e3:8.2f} ms/request {own / sdk:6.3f}")


async def main(urls: dict[str, str]) -> None:
    print(f"{'':17} {'SDK':>8} {'ours':>8} {'':8} {'SDK':>9} {'ours':>8} {'':10} {'ratio':>6}")
    for vendor, url in urls.items():
        await compare(vendor, url)


if __name__ == "__main__":
    with simulator_process() as simulator:
        uvloop.run(main({vendor: simulator.base_url(vendor) for vendor in MODELS}))
