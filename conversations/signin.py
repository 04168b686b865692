"""The admin's sign-in, made tedious to guess at.

Mounted in front of the admin's own login page, which it calls. Attempts are counted per address, and per user name
from wherever they come, in the default cache: with `REDIS_URL` over all workers, else in each.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Callable

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.core.cache.backends.locmem import LocMemCache
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from django_ratelimit.core import get_usage
from redis.exceptions import RedisError

from conversations.api.addresses import address_of

logger = logging.getLogger(__name__)

MINUTE, HOUR = 60, 3600

PER_ADDRESS = (10, 10 * MINUTE)
PER_NAME = (100, HOUR)
"""Attempts, and the seconds they are for: more than a person mistypes. A name has more than one address can use up, so
that nobody alone can lock its owner out."""

_spare = LocMemCache("sign-in", {"OPTIONS": {"MAX_ENTRIES": 10_000}})

PAGE = """<!doctype html><html lang="en"><title>Too many attempts</title>
<h1>Too many attempts</h1><p>Wait {minutes} min, then try to sign in again.</p></html>"""


@never_cache
@login_not_required
def sign_in(request: HttpRequest) -> HttpResponseBase:
    """The admin's login page; 429 for whoever tries too often."""
    return limited(request, admin.site.login)


def limited(request: HttpRequest, view: Callable[[HttpRequest], HttpResponseBase]) -> HttpResponseBase:
    """A sign-in view's answer, or 429."""
    if request.method == "POST":
        by_address = _wait(request, "address", address_of(request.META), PER_ADDRESS)
        wait = by_address or _wait(request, "name", _name(request), PER_NAME)
        if wait:
            logger.warning("too many attempts to sign in", extra={"event": "sign_in_limited"})
            page = PAGE.format(minutes=-(-wait // MINUTE))
            return HttpResponse(page, status=429, headers={"Retry-After": str(wait)})
    return view(request)


def _name(request: HttpRequest) -> str:
    """As the database may compare it: case and look-alikes make no fresh start."""
    return unicodedata.normalize("NFKC", request.POST.get("username", "")).casefold()[:150]


def _wait(request: HttpRequest, kind: str, value: str, rate: tuple[int, int]) -> int:
    """Count an attempt. Seconds until the next one is looked at; 0 for one that is in order."""
    try:
        usage = get_usage(request, f"sign-in-{kind}", key=lambda *_: value, rate=rate, increment=True)
    except RedisError:
        # Signing in must work, and must not become free to guess at, while Redis is away.
        return _wait_here(f"{kind}:{value}", *rate)
    return max(1, usage["time_left"]) if usage and usage["should_limit"] else 0


def _wait_here(key: str, attempts: int, seconds: int) -> int:
    _spare.add(key, 0, seconds)
    return seconds if _spare.incr(key) > attempts else 0
