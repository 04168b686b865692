"""What the server routes and what its description says, as comparable sets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from asgiref.sync import async_to_sync, iscoroutinefunction
from django.contrib.admindocs.views import extract_views_from_urlpatterns, simplify_regex
from django.test import RequestFactory
from django.urls import get_resolver

from conversations.api.schema.views import document
from conversations.live.routing import application as sockets
from dialogix.asgi import PROBES

Operation = tuple[str, str]
"""Method and path, such as `("GET", "/api/v1/chat/history/{conversation_id}")`."""

FOR_PEOPLE = ("/admin", "/sign-in", "/sign-out")
"""Pages, which a browser shows; besides them only `/` is none of the API."""

METHODS = ("get", "post", "put", "patch", "delete")


def described() -> set[Operation]:
    whole = document()
    return {
        (method.upper(), (server["url"].rstrip("/") + path).rstrip("/"))
        for path, item in whole["paths"].items()
        for method in METHODS
        if method in item
        for server in item.get("servers", whole["servers"])
    }


def routed() -> set[Operation]:
    return {*_views(), *(("GET", path) for path in PROBES), *_sockets()}


def _views() -> Iterator[Operation]:
    for view, regex, *_ in extract_views_from_urlpatterns(get_resolver("dialogix.urls").url_patterns):
        for each in _both_mounts(str(regex)):
            path = _template(each)
            if path and not path.startswith(FOR_PEOPLE):
                yield from ((method, path) for method in _methods(view))


def _both_mounts(regex: str) -> list[str]:
    optional = "(?:api/v1/)?"
    return [regex.replace(optional, ""), regex.replace(optional, "api/v1/")] if optional in regex else [regex]


def _sockets() -> Iterator[Operation]:
    for route in sockets.routes[:-1]:  # the last one answers for all that is not there
        yield "GET", _template(str(route.pattern))


def _template(regex: str) -> str:
    path: str = simplify_regex(regex).replace("<", "{").replace(">", "}")
    return path.rstrip("/")


def _methods(view: Any) -> list[str]:
    """What the view itself names when it is asked."""
    request = RequestFactory().options("/")
    answer = async_to_sync(view)(request) if iscoroutinefunction(view) else view(request)
    allowed = [method.strip() for method in answer.headers["Allow"].split(",")]
    return [method for method in allowed if method not in ("HEAD", "OPTIONS")]
