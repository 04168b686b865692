"""Values that belong to an event loop, such as pooled connections: another loop gets its own."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class PerLoop(Generic[K, V]):
    """A dictionary for each event loop. A server has one loop; tests and management commands have several in turn."""

    def __init__(self) -> None:
        self._values: dict[asyncio.AbstractEventLoop, dict[K, V]] = {}

    def here(self) -> dict[K, V]:
        """The running loop's dictionary. Those of loops that are closed can serve nobody any more, and go."""
        loop = asyncio.get_running_loop()
        values = self._values.get(loop)
        if values is None:
            for stale in [known for known in list(self._values) if known.is_closed()]:
                self._values.pop(stale, None)
            values = self._values[loop] = {}
        return values
