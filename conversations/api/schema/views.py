"""`/api/schema/` and `/api/docs/`, open to everybody and without any outside host."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, cast

import msgspec
import yaml
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import etag, require_safe

METHODS = {"get", "post", "put", "patch", "delete"}
SOURCE = Path(__file__).with_name("openapi.yaml")
# Swagger UI sets styles of its own from script; everything it loads is ours.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@cache
def document() -> dict[str, Any]:
    """The description as plain values, without what its parts share with each other."""
    whole = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    shared = whole.pop("x-shared")
    for answer in _answers(whole):
        answer["headers"] = {**answer.get("headers", {}), **shared["answers"]}
    return cast("dict[str, Any]", whole)


def _answers(whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Each of them once: some stand in the routes, some are referred to."""
    yield from whole["components"]["responses"].values()
    for item in whole["paths"].values():
        for method in METHODS & item.keys():
            yield from (each for each in item[method]["responses"].values() if "$ref" not in each)


@cache
def _encoded() -> bytes:
    return msgspec.json.encode(document())


@cache
def _tag() -> str:
    return f'"{hashlib.blake2b(_encoded(), digest_size=12).hexdigest()}"'


@require_safe
@etag(lambda request: _tag())
def schema(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_encoded(), content_type="application/vnd.oai.openapi+json")


@require_safe
def docs(request: HttpRequest) -> HttpResponseBase:
    response = render(request, "conversations/docs.html")
    response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response
