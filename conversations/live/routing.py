"""Which socket is where."""

from __future__ import annotations

from typing import Any

from channels.routing import URLRouter
from django.urls import re_path

from conversations.live.admission import Receive, Scope, Send
from conversations.live.socket import mirror_socket


async def nothing_here(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.close"})


# Django's function takes views; Channels gives it ASGI applications.
_route: Any = re_path

application = URLRouter(
    [
        _route(r"^ws/conversations/(?P<conversation_id>[^/]+)/?$", mirror_socket),
        _route(r"", nothing_here),
    ]
)
