"""`GET /health/{provider}`."""

from __future__ import annotations

import msgspec
from django.http import HttpResponse, HttpResponseBase

from conversations.api.chat import checked_provider
from conversations.api.requests import ChatRequest
from providers import registry


async def provider_health(request: ChatRequest, provider: str) -> HttpResponseBase:
    """Whether the vendor answers, asked without spending tokens; 200 with `OK` or `ERROR`."""
    report = await registry.check(checked_provider(provider))
    return HttpResponse(msgspec.json.encode(report), content_type="application/json")
