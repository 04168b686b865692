"""The seam between this package and the rest: one method."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Protocol

from providers.events import Event
from providers.messages import CompletionRequest

Push = Callable[[str], bool]
"""Takes new text there and then, as a `Delta` would bring it; False where it is to be yielded after all.

It neither raises nor takes long: it may be called from where the socket is read, outside of any task.
"""


def keep(text: str) -> bool:
    """The `Push` of a reader who wants every delta yielded."""
    return False


class Provider(Protocol):
    """Whatever can answer a request: an adapter, or a composite of several such as the fallback."""

    def stream(self, request: CompletionRequest, push: Push = keep) -> AsyncGenerator[Event, None]:
        """Yield the reply's events. Raises `ProviderError`, also in mid-stream; closing it closes the vendor's too.

        push: may be given text, in its order, while the reader waits for the next event. To wake a task for each delta
              costs more than all else that is done to it.
        """
        ...


class Adapter(Provider, Protocol):
    """A provider that speaks one vendor's protocol over one pooled client."""

    async def check(self, model: str) -> None:
        """Ask the vendor whether this key may use this model, without spending tokens. Raises `ProviderError`."""
        ...

    async def aclose(self) -> None:
        """Close the pooled connections. The adapter can be used no more."""
        ...
