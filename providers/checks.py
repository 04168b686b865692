"""Misconfiguration that `manage.py check` shows.

providers.E001  DEFAULT_PROVIDER is not a provider
providers.E002  a base URL is not one
providers.E003  SIMULATOR is not off (with --deploy)
providers.W001  DEFAULT_PROVIDER is not configured while others are
providers.I001  no provider is configured, and the simulator is off
providers.I002  several workers without Redis
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Info, Tags, register

from providers.conf import BASE_URL_VARIABLES


@register()
def default_provider(**kwargs: Any) -> list[CheckMessage]:
    configs, name = settings.PROVIDERS, settings.DEFAULT_PROVIDER
    if name not in configs:
        hint = f"Use one of {', '.join(configs)}."
        return [Error(f"DEFAULT_PROVIDER is {name!r}, which is no provider.", hint=hint, id="providers.E001")]
    if configs[name].usable:
        return []
    hint = f"Set {configs[name].variable} or {BASE_URL_VARIABLES[configs[name].vendor]}."
    if any(config.usable for config in configs.values()):
        message = f"DEFAULT_PROVIDER is {name}, which is not configured: completions go to the other providers."
        return [checks.Warning(message, hint=hint, id="providers.W001")]
    message = "No provider is configured and SIMULATOR is off: every chat will be answered with an error."
    return [Info(message, hint=hint, id="providers.I001")]


@register()
def base_urls(**kwargs: Any) -> list[CheckMessage]:
    return [
        Error(f"{BASE_URL_VARIABLES[config.vendor]} is not an http or https URL.", id="providers.E002")
        for config in settings.PROVIDERS.values()
        if config.base_url and not _is_url(config.base_url)
    ]


@register(Tags.security, deploy=True)
def simulator(**kwargs: Any) -> list[CheckMessage]:
    if settings.SIMULATOR == "off":
        return []
    message = f"SIMULATOR is {settings.SIMULATOR!r}: without a key the simulator would answer in a vendor's stead."
    return [Error(message, hint="Set SIMULATOR=off.", id="providers.E003")]


@register()
def workers(**kwargs: Any) -> list[CheckMessage]:
    if settings.WEB_WORKERS < 2 or settings.REDIS_URL:
        return []
    message = f"{settings.WEB_WORKERS} workers without REDIS_URL: each counts its own requests against RATE_LIMIT."
    return [Info(message, hint="Set REDIS_URL for a limit that holds over all workers.", id="providers.I002")]


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
