"""Browsers that signed in: what their session says, and that a change was meant.

No session middleware runs on the chat path, so that requests with a token, and all of open mode, pay nothing for it.
"""

from __future__ import annotations

import re
from importlib import import_module

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, load_backend
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.crypto import constant_time_compare

SESSION_COOKIE = re.compile(r"[a-z0-9]{8,64}")


def session_owner(session_key: str) -> int | None:
    """The active user who signed in with this session, or None. Reads the database, and changes nothing in it."""
    if SESSION_COOKIE.fullmatch(session_key) is None:
        return None
    session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    backend = session.get(BACKEND_SESSION_KEY)
    if backend not in settings.AUTHENTICATION_BACKENDS:
        return None
    user = load_backend(backend).get_user(session.get(SESSION_KEY))
    if user is None or not user.is_active or not _verified(user, session.get(HASH_SESSION_KEY, "")):
        return None
    return int(user.pk)


def _verified(user: AbstractBaseUser, session_hash: str) -> bool:
    """Whether the password is still the one that was signed in with."""
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(session_hash, expected) for expected in hashes)


def csrf_failure(request: HttpRequest) -> str | None:
    """Why a request that rests on a session may be another site's doing, or None.

    Django's own check: the `Origin` must be ours or one of `CSRF_TRUSTED_ORIGINS`, and `X-CSRFToken` must repeat the
    cookie's token. That is safer than a look at the `Origin` alone, which not every client sends.
    """
    check = _CsrfCheck(lambda _: HttpResponse())
    return check.process_view(_Headers(request), _view, (), {})  # type: ignore[return-value]  # see `_reject`


def _view(request: HttpRequest) -> HttpResponse:
    """What the check asks whether it is exempt."""
    raise NotImplementedError


class _CsrfCheck(CsrfViewMiddleware):
    def _reject(self, request: HttpRequest, reason: str) -> str:  # only the reason is wanted, not a page
        return reason


class _Headers(HttpRequest):
    """A request without its body: the check would read a form's, before size and type were judged."""

    def __init__(self, request: HttpRequest) -> None:
        super().__init__()
        self.method = request.method
        self.META = request.META
        self.COOKIES = request.COOKIES
        self._protocol = request.scheme

    def _get_scheme(self) -> str | None:
        return self._protocol
