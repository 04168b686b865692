"""Names to providers, as the settings have them. This is where the package meets Django."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Iterable

from django.conf import settings

from providers import pool
from providers.base import Provider, Push, keep
from providers.breaker import Breaker
from providers.conf import BASE_URL_VARIABLES, ProviderConfig
from providers.defaults import Configured, unopinionated
from providers.errors import NotConfigured
from providers.events import Event
from providers.fallback import Candidate, Fallback
from providers.health import Checkup, HealthReport, unhealthy
from providers.messages import CompletionRequest
from providers.perloop import PerLoop

logger = logging.getLogger(__name__)

breaker = Breaker()
"""This process's circuit breaker for every model."""

_warming: set[object] = set()
_checkups: PerLoop[tuple[ProviderConfig, float, float], Checkup] = PerLoop()


def names() -> tuple[str, ...]:
    """Every provider a client may name, whether it is configured or not."""
    return tuple(settings.PROVIDERS)


def config(name: str) -> ProviderConfig:
    """Raises KeyError for a name that is none of `names`."""
    found: ProviderConfig = settings.PROVIDERS[name]
    return found


def is_simulated() -> bool:
    """Whether the simulator answers, since nothing is configured."""
    return any(each.simulated for each in settings.PROVIDERS.values())


def answering(name: str | None = None) -> Provider:
    """Who answers a turn, with the provider's defaults: its two models; without a name those of all configured
    providers, `DEFAULT_PROVIDER` first. Raises KeyError for an unknown name.
    """
    wanted = [config(name)] if name is not None else _in_order()
    usable = [each for each in wanted if each.usable]
    return _fallback((each, each.models) for each in usable) if usable else _Unconfigured(wanted[0])


def plain(name: str, model: str) -> Provider:
    """Who answers a client that says itself what it wants: the model it named, then the provider's other one."""
    named = config(name)
    if not named.usable:
        return _Unconfigured(named)
    models = tuple(dict.fromkeys((model, *named.models)))
    return _fallback([(named, models)], defaults=False)


async def check(name: str) -> HealthReport:
    """The body of `GET /health/{provider}`, whatever the vendor does. Raises KeyError for an unknown name."""
    checked = config(name)
    if not checked.usable:
        return unhealthy(name, _how_to_configure(checked))
    timeout, fresh = settings.PROVIDER_TIMEOUT, settings.PROVIDER_HEALTH_CACHE
    checkups = _checkups.here()
    key = (checked, timeout, fresh)
    if key not in checkups:
        checkups[key] = Checkup(checked, _pooled(checked).adapter, timeout=timeout, fresh=fresh)
    return await checkups[key].report()


async def warm_up() -> None:
    """Import the SDKs in use and open their pools, so that the first request does not wait for it."""
    if any(each.simulated for each in _in_order()):
        logger.warning("no provider is configured: the simulator answers in the vendors' stead")
    _warming.add(running := object())
    try:
        for each in _in_order():
            if each.usable:
                await _open(each)
    finally:
        _warming.discard(running)


def is_warming_up() -> bool:
    """Whether a first request would still wait for an SDK."""
    return bool(_warming)


async def aclose() -> None:
    """Close the pooled connections of the running loop."""
    _checkups.here().clear()
    await pool.aclose()


def _in_order() -> list[ProviderConfig]:
    """All providers, the default one first."""
    return sorted(settings.PROVIDERS.values(), key=lambda each: each.name != settings.DEFAULT_PROVIDER)


async def _open(each: ProviderConfig) -> None:
    try:
        await _pooled(each).adapter()
    except Exception:  # a boundary: one vendor's broken SDK must not keep the others from answering
        logger.exception("the adapter for %s cannot be used", each.name)


def _pooled(each: ProviderConfig) -> pool.Pooled:
    return pool.Pooled(each, forbid_vendors=settings.FORBID_VENDORS)


def _fallback(groups: Iterable[tuple[ProviderConfig, tuple[str, ...]]], *, defaults: bool = True) -> Fallback:
    candidates = []
    for each, models in groups:
        source = Configured(_pooled(each), each if defaults else unopinionated(each))
        candidates.append([Candidate(each.name, model, source) for model in models])
    return Fallback(candidates, timeout=settings.PROVIDER_TIMEOUT, breaker=breaker)


def _how_to_configure(missing: ProviderConfig) -> str:
    return f"{missing.name} is not configured: set {missing.variable} or {BASE_URL_VARIABLES[missing.vendor]}."


_NOTHING: tuple[Event, ...] = ()


class _Unconfigured:
    """Answers nothing but which variable is missing."""

    def __init__(self, missing: ProviderConfig) -> None:
        self._missing = missing

    async def stream(self, request: CompletionRequest, push: Push = keep) -> AsyncGenerator[Event, None]:
        for event in _NOTHING:  # what makes it a generator
            yield event
        raise NotConfigured(_how_to_configure(self._missing))
