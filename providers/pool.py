"""The adapters of this process: imported when first needed, and one of each kept with its pooled connections.

An import takes up to a second, because of the vendor's SDK, so it happens in a thread.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from ipaddress import ip_address
from urllib.parse import urlsplit

from providers.base import Adapter, Push, keep
from providers.conf import ProviderConfig
from providers.events import Event
from providers.messages import CompletionRequest
from providers.perloop import PerLoop

ADAPTERS = {"openai": "OpenAI", "anthropic": "Anthropic", "gemini": "Gemini"}
"""Module in `providers.adapters` -> its class, which takes a ProviderConfig."""

_adapters: PerLoop[ProviderConfig, Adapter] = PerLoop()


class Pooled:
    """A provider that is the adapter of whichever event loop asks.

    forbid_vendors: whether nothing beyond this machine may be called
    """

    def __init__(self, config: ProviderConfig, *, forbid_vendors: bool = False) -> None:
        self._config = config
        self._forbid_vendors = forbid_vendors

    def stream(self, request: CompletionRequest, push: Push = keep) -> AsyncGenerator[Event, None]:
        adapter = _adapters.here().get(self._config)
        return adapter.stream(request, push) if adapter is not None else self._stream_once_ready(request, push)

    async def adapter(self) -> Adapter:
        """The adapter, imported and built where this loop has none yet. Raises RuntimeError for a forbidden vendor."""
        adapters = _adapters.here()
        if self._config not in adapters:
            reachable, build = await asyncio.to_thread(_load, self._config)
            if self._forbid_vendors and not is_loopback(reachable.base_url):
                raise RuntimeError(f"{self._config.name} would call {reachable.base_url or 'its vendor'}: forbidden")
            if self._config not in adapters:  # another task may have been here during the import
                adapters[self._config] = build(reachable)
        return adapters[self._config]

    async def _stream_once_ready(self, request: CompletionRequest, push: Push) -> AsyncGenerator[Event, None]:
        adapter = await self.adapter()
        async with aclosing(adapter.stream(request, push)) as events:
            async for event in events:
                yield event


async def aclose() -> None:
    """Close the running loop's adapters."""
    adapters = _adapters.here()
    while adapters:
        await adapters.popitem()[1].aclose()


def is_loopback(url: str | None) -> bool:
    """None, which stands for the vendor's own address, and what only a resolver knows, do not stay on this machine."""
    host = urlsplit(url or "").hostname
    if host is None:
        return False
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _load(config: ProviderConfig) -> tuple[ProviderConfig, Callable[[ProviderConfig], Adapter]]:
    """What takes a while: import the adapter and its SDK, and start the simulator where it is the vendor."""
    reachable = _at_the_simulator(config) if config.simulated else config
    module = importlib.import_module(f"providers.adapters.{config.vendor}")
    return reachable, getattr(module, ADAPTERS[config.vendor])


def _at_the_simulator(config: ProviderConfig) -> ProviderConfig:
    server = importlib.import_module("providers.simulator.server")
    return replace(config, api_key="simulator", base_url=server.base_url(config.vendor, server.ensure_running()))
