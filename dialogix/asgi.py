"""Who answers what: the chat path has a handler of its own, probes are answered at once, all else is Django's."""

from __future__ import annotations

import os
import re

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dialogix.settings")
django.setup()

from django.core.handlers.asgi import ASGIHandler
from django.urls import get_resolver

from conversations.api.handler import ChatApplication
from conversations.live import application as live
from dialogix import health, metrics, scraping
from dialogix.bounds import BodyBound
from dialogix.gate import Gate, Receive, Scope, Send

CHAT_PATH = re.compile(
    r"(?:/api/v1)?/(?:chat(?:/.*)?|conversation/message/?|health(?:/[^/]*)?/?)|/v1/.*",
    re.DOTALL,
)
"""The documents' routes at both mounts, and OpenAI's."""

PROBES = {"/livez": health.live, "/readyz": health.ready, "/metrics": scraping.expose}

chat = ChatApplication("dialogix.urls")
everything_else = BodyBound(ASGIHandler())  # type: ignore[arg-type]  # its scope is a dict, as ours is


async def route(scope: Scope, receive: Receive, send: Send) -> None:
    path = scope["path"]
    if scope["type"] == "websocket":
        await live(scope, receive, send)
    elif CHAT_PATH.fullmatch(path):
        await chat(scope, receive, send)  # type: ignore[arg-type]  # the same
    elif (probe := PROBES.get(path.rstrip("/"))) is not None:
        await probe(scope, receive, send)
    else:
        await everything_else(scope, receive, send)


get_resolver().url_patterns  # noqa: B018  (imports all views now, so that no first request waits for it)

application = Gate(route, metrics.request_ended)
