"""Cross-origin requests: django-cors-headers, and a preflight that is allowed by name what it asks for.

The documents allow `*` for methods and headers. Browsers ignore a `*` where credentials are allowed, so what they mean
has to be spelled out.
"""

from __future__ import annotations

import re

from corsheaders import middleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

METHODS = "GET, POST, PUT, PATCH, DELETE"
FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A header's name, RFC 9110 section 5.1; anything else in a preflight is not repeated."""


class CorsMiddleware(middleware.CorsMiddleware):
    """Used in `MIDDLEWARE`, and alone around an async handler: `CorsMiddleware(get_response)`."""

    def add_response_headers(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        super().add_response_headers(request, response)
        if request.method == "OPTIONS" and response.has_header(middleware.ACCESS_CONTROL_ALLOW_ORIGIN):
            response[middleware.ACCESS_CONTROL_ALLOW_METHODS] = METHODS
            _allow_headers_asked_for(request, response)
        return response


def _allow_headers_asked_for(request: HttpRequest, response: HttpResponseBase) -> None:
    asked = request.headers.get("access-control-request-headers")
    if asked is None:
        return
    patch_vary_headers(response, ("access-control-request-headers",))
    names = [name for name in map(str.strip, asked.split(",")) if FIELD_NAME.fullmatch(name)]
    response[middleware.ACCESS_CONTROL_ALLOW_HEADERS] = ", ".join(names)
