"""Idempotency keys: who claimed which, and what a claim still stands for."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now

from conversations.models import IdempotencyKey, Status
from conversations.refusals import KeyReused
from conversations.turns import Claim

KEPT = timedelta(hours=24)
STREAM_ROUTES = ("chat/", "regenerate/", "edit/", "v1-stream")
"""Beginnings of the names of routes that answer with a stream; all others answer when the reply has ended."""


def held(claim: Claim) -> IdempotencyKey | None:
    """The claim on this key that answers for it, or the released one of the same request. Raises `KeyReused`."""
    row = (
        IdempotencyKey.objects.select_related("message__conversation")
        .filter(scope=claim.scope, key=claim.key, created_at__gte=Now() - KEPT)
        .first()
    )
    if row is None:
        return None
    same = row.route == claim.route and row.body_hash == claim.body_hash
    if row.released:
        return row if same else None
    if not same:
        raise KeyReused("This Idempotency-Key was used with another request; a key stands for one request only.")
    return row


def take(claim: Claim, message_id: int) -> None:
    """Claim the key for a reply, in the transaction that begins its turn.

    Raises `IntegrityError` where another has claimed it since it was looked up.
    """
    free = Q(released=True) | Q(created_at__lt=Now() - KEPT)
    IdempotencyKey.objects.filter(free, scope=claim.scope, key=claim.key).delete()
    IdempotencyKey.objects.create(
        scope=claim.scope, key=claim.key, route=claim.route, body_hash=claim.body_hash, message_id=message_id
    )


def release_unanswered(message_id: int, status: str, *, begun: bool, abandoned: bool) -> None:
    """Free the keys of a reply that ended unanswered.

    begun: it has text, or its stream was answered with 200;  abandoned: nobody was left to be told of its end
    """
    for row in IdempotencyKey.objects.filter(message_id=message_id, released=False):
        if not _answered(row.route, status, begun, abandoned):
            row.released = True
            row.save(update_fields=["released"])


def _answered(route: str, status: str, begun: bool, abandoned: bool) -> bool:
    if route.startswith(STREAM_ROUTES):
        return begun or status == Status.COMPLETE or (status == Status.CANCELLED and not abandoned)
    return status == Status.COMPLETE or (status == Status.CANCELLED and begun)
