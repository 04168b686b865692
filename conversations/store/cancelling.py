"""The wish that a reply end, left where its worker finds it."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db.models.functions import Now

from conversations.models import Generation


def request_cancel(message_pks: Collection[int]) -> dict[int, UUID]:
    """Ask for the end of these replies. Returns the workers of those that have not ended yet."""
    rows = Generation.objects.filter(pk__in=message_pks)
    rows.filter(cancel_requested_at=None).update(cancel_requested_at=Now())
    return dict(rows.values_list("pk", "worker_id"))


def workers_of(conversations: Collection[int]) -> set[UUID]:
    """The workers that have replies running or waiting in these conversations."""
    return set(Generation.objects.filter(conversation_id__in=conversations).values_list("worker_id", flat=True))


def is_under_way(message_pk: int) -> bool:
    """Whether this reply still runs or waits."""
    return Generation.objects.filter(pk=message_pk).exists()
