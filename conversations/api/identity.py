"""Who is calling.

Open mode: an address, and no more; `Authorization` means nothing there. Required mode: the owner of a bearer token, or
of a session where there is no bearer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, parse_cookie
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from conversations import database
from conversations.api import tokens
from conversations.api.addresses import address_of, client_address, trusted_proxies
from conversations.api.errors import RETRY_AFTER, ApiError
from conversations.api.jwks import KeysUnavailableError
from conversations.api.sessions import csrf_failure, session_owner

SUBPROTOCOL = "dialogix"
SUBPROTOCOL_BEARER = "bearer."


@dataclass(frozen=True, slots=True)
class Caller:
    """owner_id: None in open mode;  address: as limits count it;  credential: which of the owner's tokens, if any"""

    owner_id: int | None
    address: str
    credential: str = ""

    @property
    def limit_key(self) -> str:
        """What the rate limit counts by: the token, else the owner, else the address."""
        if self.credential:
            return f"token:{self.credential}"
        return f"address:{self.address}" if self.owner_id is None else f"owner:{self.owner_id}"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request shows for itself. token: a bearer's, "" where it is malformed, None where there is no bearer."""

    address: str
    token: str | None
    session_key: str


async def identify(request: HttpRequest) -> Caller:
    """The caller of a chat request. Raises ApiError 401, or 403 where a session's request may be another site's."""
    if settings.AUTH_MODE != "required":
        return Caller(None, address_of(request.META))
    credentials = _of_request(request)
    caller = await _resolve_async(credentials)
    return _protected(request, credentials, caller)


def identify_in_thread(request: HttpRequest) -> Caller:
    """`identify` for views that run in a thread."""
    if settings.AUTH_MODE != "required":
        return Caller(None, address_of(request.META))
    credentials = _of_request(request)
    caller = _remembered(credentials) or _resolve(credentials)
    return _protected(request, credentials, caller)


async def identify_socket(scope: Mapping[str, Any]) -> Caller:
    """The caller of an ASGI scope, a WebSocket's above all. Raises ApiError 401.

    A session stands alone here: whoever accepts the handshake has to judge its `Origin`.
    """
    headers = _headers(scope)
    peer = (scope.get("client") or ("", 0))[0]
    address = client_address(peer, headers.get("x-forwarded-for"), trusted_proxies())
    if settings.AUTH_MODE != "required":
        return Caller(None, address)
    token = bearer(headers.get("authorization"))
    if token is None:
        token = _subprotocol_token(scope.get("subprotocols") or ())
    session_key = parse_cookie(headers.get("cookie", "")).get(settings.SESSION_COOKIE_NAME, "")
    return await _resolve_async(Credentials(address, token, session_key))


class CallerAuthentication(BaseAuthentication):
    """For DRF views: `request.caller`. `request.user` stays anonymous, as no view needs the row."""

    def authenticate(self, request: Request) -> None:
        plain: Any = request._request
        plain.caller = identify_in_thread(plain)

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def bearer(authorization: str | None) -> str | None:
    """The token of an `Authorization` header; None: it is not a bearer's."""
    scheme, _, token = (authorization or "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def unauthorized(details: str) -> ApiError:
    return ApiError(401, details, headers={"WWW-Authenticate": "Bearer"})


def unavailable(error: KeysUnavailableError) -> ApiError:
    """A token that cannot be judged now is no bad one: its client shall keep it, and come again."""
    return ApiError(503, str(error), headers={"Retry-After": RETRY_AFTER})


async def _resolve_async(credentials: Credentials) -> Caller:
    known = _remembered(credentials)
    if known is not None:
        return known
    if credentials.token is None:
        return await database.read(_resolve, credentials)
    try:
        return _granted(credentials, await tokens.verify_async(credentials.token))
    except KeysUnavailableError as error:
        raise unavailable(error) from None


def _remembered(credentials: Credentials) -> Caller | None:
    """The caller where no database is needed to tell; None where it is. Raises ApiError 401."""
    if credentials.token is None:
        if not credentials.session_key:
            raise unauthorized("Send a token: Authorization: Bearer <token>")
        return None
    is_known, grant = tokens.remembered(credentials.token)
    return _granted(credentials, grant) if is_known else None


def _resolve(credentials: Credentials) -> Caller:
    if credentials.token is not None:
        try:
            return _granted(credentials, tokens.verify(credentials.token))
        except KeysUnavailableError as error:
            raise unavailable(error) from None
    owner_id = session_owner(credentials.session_key)
    if owner_id is None:
        raise unauthorized("The session has ended: sign in again")
    return Caller(owner_id, credentials.address)


def _granted(credentials: Credentials, grant: tokens.Grant | None) -> Caller:
    if grant is None:
        raise unauthorized("The token is unknown, expired or revoked")
    return Caller(grant.owner_id, credentials.address, grant.credential)


def _protected(request: HttpRequest, credentials: Credentials, caller: Caller) -> Caller:
    """A browser sends a session's cookie along whoever asks it to, unlike a token."""
    if credentials.token is None:
        reason = csrf_failure(request)
        if reason is not None:
            raise ApiError(403, f"A request with a session must carry its CSRF token: {reason}")
    return caller


def _of_request(request: HttpRequest) -> Credentials:
    token = bearer(request.META.get("HTTP_AUTHORIZATION"))
    session_key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    return Credentials(address_of(request.META), token, session_key)


def _headers(scope: Mapping[str, Any]) -> dict[str, str]:
    """Lower-case names; repeated ones are joined as Django does."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        joint = "; " if key == "cookie" else ","
        headers[key] = f"{headers[key]}{joint}{text}" if key in headers else text
    return headers


def _subprotocol_token(subprotocols: Sequence[str]) -> str | None:
    """Browsers cannot send headers with a WebSocket, but may offer `dialogix, bearer.<token>`."""
    if SUBPROTOCOL not in subprotocols:
        return None
    offered = (name for name in subprotocols if name.startswith(SUBPROTOCOL_BEARER))
    return next((name.removeprefix(SUBPROTOCOL_BEARER) for name in offered), None)
