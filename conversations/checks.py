"""Misconfiguration that `manage.py check` shows.

conversations.E001  some of the variables for outside tokens are set, and some are not
conversations.W001  they are set, and have no effect in open mode
conversations.W002  the keys come over http, where anybody on the way can put in his own (with --deploy)
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004  (Django's name)

VARIABLES = ("AUTH_JWKS_URL", "AUTH_JWT_ISSUER", "AUTH_JWT_AUDIENCE")


@register(Tags.security)
def outside_tokens(**kwargs: Any) -> list[CheckMessage]:
    missing = [name for name in VARIABLES if not getattr(settings, name)]
    if len(missing) == len(VARIABLES):
        return []
    if missing:
        message = f"{' and '.join(missing)} not set: tokens of the outside provider are all refused."
        return [Error(message, hint=f"Set all of {', '.join(VARIABLES)}, or none.", id="conversations.E001")]
    if settings.AUTH_MODE != "required":
        message = "AUTH_MODE is open, where tokens mean nothing: AUTH_JWKS_URL has no effect."
        return [Warning(message, hint="Set AUTH_MODE=required.", id="conversations.W001")]
    return []


@register(Tags.security, deploy=True)
def keys_over_https(**kwargs: Any) -> list[CheckMessage]:
    if not settings.AUTH_JWKS_URL or urlsplit(settings.AUTH_JWKS_URL).scheme == "https":
        return []
    return [Warning("AUTH_JWKS_URL is not an https URL.", hint="Use https.", id="conversations.W002")]
