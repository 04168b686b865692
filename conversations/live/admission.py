"""Who may open a socket, decided before the handshake is answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from conversations.api.errors import ApiError
from conversations.api.identity import Caller, identify_socket
from conversations.generations import engine
from conversations.identifiers import CHOSEN_ID
from conversations.refusals import Unavailable

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

DEFAULT_PORTS = {"http": 80, "https": 443}
LOCAL_HOSTS = (".localhost", "127.0.0.1", "[::1]")


async def admit(scope: Scope, conversation_id: str) -> Caller:
    """The caller, where there is one who may watch this conversation.

    Raises `ApiError`, whose status a handshake cannot tell (it is 403 for all), and `Unavailable`, `DatabaseError`.
    """
    if engine.draining:
        raise Unavailable("The server is shutting down. Please try again in a moment.")
    host = _header(scope, b"host")
    if not _is_served(host):
        raise ApiError(403, "This host name is not served here (ALLOWED_HOSTS).")
    if (origin := _header(scope, b"origin")) and not _is_welcome(origin, host):
        raise ApiError(403, "Pages of this origin may not connect (CORS_ALLOWED_ORIGINS).")
    caller = await identify_socket(scope)
    if not CHOSEN_ID.fullmatch(conversation_id):
        raise ApiError(404, "This cannot be the id of a conversation.")
    return caller


def _header(scope: Scope, wanted: bytes) -> str:
    return b",".join(value for name, value in scope["headers"] if name == wanted).decode("latin-1")


def _is_served(host: str) -> bool:
    """Otherwise any page could pass for one of ours: its name leads here, and it names itself as host and origin."""
    allowed = settings.ALLOWED_HOSTS or (LOCAL_HOSTS if settings.DEBUG else ())
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, allowed)


def _is_welcome(origin: str, host: str) -> bool:
    """One of `CORS_ALLOWED_ORIGINS`, or the server itself."""
    if origin in settings.CORS_ALLOWED_ORIGINS:
        return True
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return False
    if parts.scheme not in (("https",) if settings.HTTPS else DEFAULT_PORTS):
        return False
    default = DEFAULT_PORTS[parts.scheme]
    domain, _, given = host.rpartition(":") if host.rpartition(":")[2].isdecimal() else (host, "", "")
    return (parts.hostname, port or default) == (domain.strip("[]").lower(), int(given or default))
