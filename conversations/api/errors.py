"""Every way of saying no, in the shape of the route that says it.

Three shapes: `{"detail"}` (the streaming contract's routes), OpenAI's under `/v1/`, and `{"error", "details"}` for all
others. Which route speaks which is decided from the path alone, so that the layers around the views (body bounds,
404, 405, unexpected exceptions) answer like the views do.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from rest_framework.exceptions import APIException

from conversations.refusals import Busy, InvalidTurn, KeyReused, NotThere, TurnRefused, Unavailable, WrongMessage

MOUNT = "/api/v1"
"""The second place where every route of the documents is mounted; the first is the root."""

DETAIL_ROUTES = re.compile(
    r"/(?:chat/(?!(?:completions|conversations|history|messages)(?:/|$))[^/]+"
    r"|health/[^/]+"
    r"|chat/messages/[^/]+/(?:stream|regenerate|edit))/?"
)

TITLES = {
    400: "Invalid request format",
    401: "Authentication required",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Request too large",
    415: "Unsupported media type",
    422: "Idempotency key reused",
    429: "Rate limit exceeded",
    500: "Internal server error",
    503: "Service unavailable",
    504: "Response timeout",
}
OPENAI_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


class ApiError(Exception):
    """An answer other than success, raised anywhere below a view.

    status:  HTTP status, 400 to 504
    details: a sentence a person can act on; never a vendor's raw body, a key or a stack trace
    headers: sent with it, such as `Retry-After`
    param, code: OpenAI's, under `/v1/` only
    """

    def __init__(
        self,
        status: int,
        details: str,
        *,
        headers: Mapping[str, str] | None = None,
        param: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(details)
        self.status = status
        self.details = details
        self.headers = dict(headers or {})
        self.param = param
        self.code = code


REFUSALS: dict[type[TurnRefused], int] = {
    InvalidTurn: 400,
    NotThere: 404,
    WrongMessage: 409,
    Busy: 409,
    KeyReused: 422,
    Unavailable: 503,
}
RETRY_AFTER = "5"
"""Seconds, where nothing better is known."""


def from_refusal(refusal: TurnRefused, headers: Mapping[str, str] | None = None) -> ApiError:
    """The answer to a turn that was not begun."""
    status = REFUSALS[type(refusal)]
    retry = {"Retry-After": RETRY_AFTER} if status == 503 else {}
    return ApiError(status, str(refusal), headers={**(headers or {}), **retry})


def unmounted(path: str) -> str:
    """The path as it is at the root: `/api/v1/chat/gpt` and `/chat/gpt` are one route."""
    return path[len(MOUNT) :] if path.startswith(MOUNT + "/") else path


def error_body(path: str, status: int, details: str, *, param: str | None = None, code: str | None = None) -> bytes:
    """The JSON body of an error of `path`, in that route's shape."""
    title = TITLES.get(status) or HTTPStatus(status).phrase
    if path.startswith("/v1/"):
        kind = OPENAI_TYPES.get(status) or ("invalid_request_error" if status < 500 else "server_error")
        return msgspec.json.encode({"error": {"message": details, "type": kind, "param": param, "code": code}})
    if DETAIL_ROUTES.fullmatch(unmounted(path)):
        return msgspec.json.encode({"detail": details})
    return msgspec.json.encode({"error": title, "details": details})


def exception_handler(error: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """REST framework's errors in the shape of the route. None: unexpected, and answered like everything unexpected."""
    if isinstance(error, TurnRefused):
        error = from_refusal(error)
    if isinstance(error, Http404):
        error = ApiError(404, "There is nothing at this address.")
    if isinstance(error, PermissionDenied):
        error = ApiError(403, "This is not allowed.")
    if isinstance(error, APIException):
        error = ApiError(error.status_code, _sentence(error.detail), headers=_headers(error))
    if not isinstance(error, ApiError):
        return None
    body = error_body(context["request"].path_info, error.status, error.details, param=error.param, code=error.code)
    return HttpResponse(body, status=error.status, content_type="application/json", headers=error.headers)


def _sentence(detail: Any) -> str:
    """A serializer's errors are lists by field."""
    if isinstance(detail, Mapping):
        return " ".join(f"{name}: {_sentence(each)}" for name, each in detail.items())
    return " ".join(map(_sentence, detail)) if isinstance(detail, list) else str(detail)


def _headers(error: APIException) -> dict[str, str]:
    wait, challenge = getattr(error, "wait", None), getattr(error, "auth_header", None)
    return {
        **({"Retry-After": str(math.ceil(wait))} if wait else {}),
        **({"WWW-Authenticate": challenge} if challenge else {}),
    }
