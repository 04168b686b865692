"""What a route answers to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from django.http import HttpResponse, HttpResponseBase

from conversations.api.errors import ApiError

View = Callable[..., Awaitable[HttpResponseBase]]


def methods(**views: View) -> View:
    """One view of several, by method: `methods(GET=read, DELETE=remove)`. Any other is a 405 that names them.

    `HEAD` is served like `GET` (the server sends no body), `OPTIONS` names the methods.
    """
    allowed = ", ".join([*views, *(["HEAD"] if "GET" in views else []), "OPTIONS"])

    async def view(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        method = "GET" if request.method == "HEAD" else request.method
        if method == "OPTIONS":
            return HttpResponse(status=204, headers={"Allow": allowed})
        if method not in views:
            raise ApiError(405, f"This address takes {allowed}.", headers={"Allow": allowed})
        return await views[method](request, *args, **kwargs)

    return view
