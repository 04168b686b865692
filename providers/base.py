"""The seam between this package and the rest: one method."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from providers.events import Event
from providers.messages import CompletionRequest


class Provider(Protocol):
    """Whatever can answer a request: an adapter, or a composite of several such as the fallback."""

    def stream(self, request: CompletionRequest) -> AsyncGenerator[Event, None]:
        """Yield the reply's events. Raises `ProviderError`, also in mid-stream; closing it closes the vendor's too."""
        ...


class Adapter(Provider, Protocol):
    """A provider that speaks one vendor's protocol over one pooled client."""

    async def check(self, model: str) -> None:
        """Ask the vendor whether this key may use this model, without spending tokens. Raises `ProviderError`."""
        ...

    async def aclose(self) -> None:
        """Close the pooled connections. The adapter can be used no more."""
        ...
