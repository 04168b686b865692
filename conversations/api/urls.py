"""The routes of both documents and the wire beyond them, at `/` and at `/api/v1/`, with a trailing slash or not."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from django.http import HttpResponseBase
from django.urls import URLPattern, include, path, re_path

from conversations.api.branches import activate
from conversations.api.chat import chat
from conversations.api.completions import complete
from conversations.api.conversations import change, create, remove
from conversations.api.conversations import show as show_conversation
from conversations.api.export import export
from conversations.api.feedback import rate
from conversations.api.health import provider_health
from conversations.api.history import history
from conversations.api.listing import show_all
from conversations.api.messages import cancel, edit, regenerate, show, stream
from conversations.api.openai import views as openai
from conversations.api.routing import View, methods

ID = r"(?P<{}>[A-Za-z0-9][A-Za-z0-9_.:~-]{{0,127}})"
"""An id of a shape that could exist; any other is a route that does not."""


def _route(pattern: str, view: View) -> URLPattern:
    return re_path(
        rf"^{pattern}/?$", cast("Callable[..., HttpResponseBase]", view)
    )  # the stubs know no coroutine views


CONVERSATION = ID.format("conversation_id")
MESSAGE = ID.format("message_id")
PROVIDER = r"(?P<provider>[^/]+)"

routes = [
    _route("chat/completions", methods(POST=complete)),
    _route("conversation/message", methods(POST=complete)),
    _route("chat/conversations", methods(GET=show_all, POST=create)),
    _route(f"chat/conversations/{CONVERSATION}", methods(GET=show_conversation, PATCH=change, DELETE=remove)),
    _route(f"chat/conversations/{CONVERSATION}/export", methods(GET=export)),
    _route(f"chat/history/{CONVERSATION}", methods(GET=history)),
    _route(f"chat/messages/{MESSAGE}", methods(GET=show)),
    _route(f"chat/messages/{MESSAGE}/stream", methods(GET=stream)),
    _route(f"chat/messages/{MESSAGE}/cancel", methods(POST=cancel)),
    _route(f"chat/messages/{MESSAGE}/regenerate", methods(POST=regenerate)),
    _route(f"chat/messages/{MESSAGE}/edit", methods(POST=edit)),
    _route(f"chat/messages/{MESSAGE}/activate", methods(POST=activate)),
    _route(f"chat/messages/{MESSAGE}/feedback", methods(PUT=rate)),
    _route(f"chat/{PROVIDER}", methods(POST=chat)),
    _route(f"health/{PROVIDER}", methods(GET=provider_health)),
]

openai_routes = [
    _route("v1/chat/completions", methods(POST=openai.chat_completions)),
    _route("v1/models", methods(GET=openai.models)),
    _route("v1/models/(?P<model>.+?)", methods(GET=openai.model)),
]

urlpatterns = [path("", include(routes)), path("api/v1/", include(routes)), path("", include(openai_routes))]
