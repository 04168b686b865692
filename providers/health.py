"""A provider's health, as `GET /health/{provider}` answers it."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from providers.base import Adapter
from providers.conf import ProviderConfig
from providers.errors import ProviderError

logger = logging.getLogger(__name__)

HealthReport = dict[str, Any]
"""The body of the answer: `status` is `OK`, with `message` and `metrics`, or `ERROR`, with `error`."""


class Checkup:
    """Asks the vendor whether the default model may be used, else the fallback model.

    adapter: the adapter to ask, once it is imported
    timeout: seconds for both models together
    fresh:   seconds for which an answer counts; whoever asks at the same time shares one in any case
    clock:   monotonic seconds
    """

    def __init__(
        self,
        config: ProviderConfig,
        adapter: Callable[[], Awaitable[Adapter]],
        *,
        timeout: float,
        fresh: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self._adapter = adapter
        self._timeout = timeout
        self._fresh = fresh
        self._clock = clock
        self._asking: asyncio.Task[HealthReport] | None = None
        self._report: tuple[float, HealthReport] | None = None

    async def report(self) -> HealthReport:
        if self._report is not None and self._clock() < self._report[0]:
            return self._report[1]
        if self._asking is None or self._asking.done():
            # In a context of its own: it outlives the request that began it, and serves others.
            self._asking = asyncio.get_running_loop().create_task(self._ask(), context=contextvars.Context())
        return await asyncio.shield(self._asking)

    async def _ask(self) -> HealthReport:
        report = await self._first_usable()
        self._report = (self._clock() + self._fresh, report)
        return report

    async def _first_usable(self) -> HealthReport:
        loop, problems = asyncio.get_running_loop(), []
        end = loop.time() + self._timeout
        for model in self._config.models:
            left = end - loop.time()
            last = model == self._config.models[-1]
            began = self._clock()
            problem = await self._problem(model, left if last else left / 2)
            if problem is None:
                return healthy(self._config, model, self._clock() - began)
            problems.append(f"{model}: {problem}")
        return unhealthy(self._config.name, " ".join(problems))

    async def _problem(self, model: str, seconds: float) -> str | None:
        """Why the model cannot be used now, a sentence safe to show; None if it can."""
        try:
            async with asyncio.timeout(seconds):
                await (await self._adapter()).check(model)
        except ProviderError as error:
            return str(error)
        except TimeoutError:
            return f"Nothing came within {seconds:.3g} seconds."
        except Exception:  # a boundary: a health report tells of a bug, too, and in safe words
            logger.exception("the health check of %s failed", model)
            return "The check failed in an unexpected way."
        return None


def healthy(config: ProviderConfig, model: str, seconds: float) -> HealthReport:
    note = " (simulator, no provider is configured)" if config.simulated else ""
    return {
        "status": "OK",
        "provider": config.name,
        "message": f"Using model: {model}{note}",
        "metrics": {"responseTime": round(seconds, 6)},
    }


def unhealthy(name: str, problem: str) -> HealthReport:
    return {"status": "ERROR", "provider": name, "error": {"message": problem}}
