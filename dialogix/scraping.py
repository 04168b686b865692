"""`GET /metrics`: whoever is on this machine may read it, others with `METRICS_TOKEN`."""

from __future__ import annotations

import hmac
from collections.abc import Iterator

from django.conf import settings
from django.http.request import split_domain_port, validate_host
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from conversations.api.addresses import parse_address
from conversations.api.errors import error_body
from conversations.api.identity import bearer
from dialogix.gate import Receive, Scope, Send, answer
from dialogix.metrics import registry, worker_label

FORWARDED = (b"x-forwarded-for", b"forwarded", b"x-real-ip", b"via")
"""What proxies add: a request that has passed one is nobody's on this machine, though its peer is."""


LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")


async def expose(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["method"] not in ("GET", "HEAD"):
        await _refuse(scope, send, 405, "This address takes GET, HEAD.", ((b"allow", b"GET, HEAD"),))
    elif _is_local(scope) or _has_token(scope):
        encode, content_type = choose_encoder(_header(scope, b"accept"))
        await _answer(send, encode(_Ours()), content_type)
    elif settings.METRICS_TOKEN:
        details = "Send the token: Authorization: Bearer <METRICS_TOKEN>"
        await _refuse(scope, send, 401, details, ((b"www-authenticate", b"Bearer"),))
    else:
        await _refuse(scope, send, 403, "Only this machine may read metrics; METRICS_TOKEN lets others in.")


class _Ours(Collector):
    """All that is counted here, told apart from other workers' where there are some."""

    def collect(self) -> Iterator[Metric]:
        worker = worker_label()
        for family in registry.collect():
            if worker is not None:
                family.samples = [one._replace(labels={**one.labels, "worker": worker}) for one in family.samples]
            yield family


def _is_local(scope: Scope) -> bool:
    if any(name in FORWARDED for name, _ in scope["headers"]):
        return False
    address = parse_address((scope.get("client") or ("", 0))[0])
    return address is not None and address.is_loopback and _is_local_name(_header(scope, b"host"))


def _is_local_name(host: str) -> bool:
    """Otherwise a page in a browser on this machine could read them, once its own name leads here (DNS rebinding)."""
    name, _ = split_domain_port(host)
    return validate_host(name, LOCAL_NAMES)


def _has_token(scope: Scope) -> bool:
    expected, token = settings.METRICS_TOKEN, bearer(_header(scope, b"authorization"))
    return bool(expected and token and hmac.compare_digest(token.encode(), expected.encode()))


def _header(scope: Scope, wanted: bytes) -> str:
    return b",".join(value for name, value in scope["headers"] if name == wanted).decode("latin-1")


async def _refuse(
    scope: Scope, send: Send, status: int, details: str, headers: tuple[tuple[bytes, bytes], ...] = ()
) -> None:
    await answer(send, status, error_body(scope["path"], status, details), headers)


async def _answer(send: Send, body: bytes, content_type: str) -> None:
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
