"""Whether each provider's key may use its models: asked of the vendors, without spending tokens."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

from django.conf import settings

from conversations.commands.doctor.findings import Finding, Level
from providers import registry
from providers.conf import BASE_URL_VARIABLES, ProviderConfig
from providers.health import Checkup, HealthReport
from providers.pool import Pooled


async def providers() -> list[Finding]:
    """All models of all of them at the same time."""
    await registry.warm_up()  # the import of an SDK is not what is to be timed
    configs = [registry.config(name) for name in registry.names()]
    asked = [(each, model) for each in configs if each.usable for model in each.models]
    reports = await asyncio.gather(*(_report(each, model) for each, model in asked))
    found = {(each.name, model): report for (each, model), report in zip(asked, reports, strict=True)}
    return [finding for each in configs for finding in _findings(each, found)]


async def _report(config: ProviderConfig, model: str) -> HealthReport:
    only = replace(config, default_model=model, fallback_model=model)
    adapter = Pooled(config, forbid_vendors=settings.FORBID_VENDORS).adapter
    return await Checkup(only, adapter, timeout=settings.PROVIDER_TIMEOUT, fresh=0).report()


def _findings(config: ProviderConfig, reports: dict[tuple[str, str], HealthReport]) -> Iterator[Finding]:
    subject, variable = f"provider {config.name}", config.variable
    if not config.usable:
        mend = f"Set {variable} or {BASE_URL_VARIABLES[config.vendor]} to use it."
        yield Finding(subject, "note", "Not configured: asking it is answered with an error.", mend)
        return
    if config.simulated:
        mend = f"Set {variable}; SIMULATOR=off makes sure that it never does."
        yield Finding(subject, "note", "The simulator answers in its stead.", mend)
        return
    usable = any(reports[config.name, model]["status"] == "OK" for model in config.models)
    for model in config.models:
        report = reports[config.name, model]
        if report["status"] == "OK":
            yield Finding(subject, "ok", f"{model} may be used ({report['metrics']['responseTime'] * 1000:.0f} ms).")
        else:
            mend = f"Look at {variable} and the model's name. The other model answers meanwhile."
            level: Level = "warning" if usable else "problem"
            told = report["error"]["message"].removeprefix(f"{model}: ")
            yield Finding(subject, level, f"{model}: {told}", mend if usable else mend.partition(". ")[0] + ".")
