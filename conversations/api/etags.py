"""Answers that need not be sent again: `ETag` and `If-None-Match` (RFC 9110, sections 8.8.3 and 13.1.2)."""

from __future__ import annotations

import hashlib

from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_etags

PRIVATE = {"Cache-Control": "private, no-cache"}
"""Only the client itself may keep it, and asks each time whether it is still so."""


def answer(request: HttpRequest, body: bytes) -> HttpResponse:
    """200 with this JSON and its `ETag`, or 304 where the client has it already."""
    etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"ETag": etag, **PRIVATE}
    if not _has(request, etag):
        return HttpResponse(body, content_type="application/json", headers=headers)
    response = HttpResponse(status=304, headers=headers)
    del response["Content-Type"]
    return response


def _has(request: HttpRequest, etag: str) -> bool:
    """A proxy that compressed the answer may have made the tag a weak one."""
    given = [each.removeprefix("W/") for each in parse_etags(request.headers.get("If-None-Match", ""))]
    return etag in given or given == ["*"]
