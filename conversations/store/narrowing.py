"""Rows narrowed to what few of them have, by indexes over those few alone.

A partial index costs nothing where it does not apply, which is with nearly every message. SQLite uses one only where
its condition stands in the statement as text, so it stands here beside the parameter.
"""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import BooleanField, Model, QuerySet
from django.db.models.expressions import RawSQL

from conversations.models import Conversation, Generation, Message, Status
from conversations.store.spending import ANSWERED

Row = TypeVar("Row", bound=Model)

TROUBLED = "IN ('cancelled', 'failed', 'interrupted')"
RATED = """NOT ("conversations_message"."feedback_rating" = '')"""
HAS = f"""
    EXISTS (SELECT 1 FROM conversations_message
            WHERE {ANSWERED} AND conversation_id = conversations_conversation.id AND {{}} = %s)
"""  # noqa: S608  (texts of our own)


def answered_by(rows: QuerySet[Conversation], *, provider: str = "", model: str = "") -> QuerySet[Conversation]:
    """Conversations in which this provider, and this model, has answered, on whatever branch."""
    for column, name in (("provider", provider), ("model", model)):
        if name:
            rows = _where(rows, HAS.format(column), name)
    return rows


def ended_as(rows: QuerySet[Conversation], status: str) -> QuerySet[Conversation]:
    """Conversations whose last reply stands so."""
    if status == Status.STREAMING:
        rows = rows.filter(pk__in=Generation.objects.values("conversation_id"))
    elif status not in (Status.COMPLETE, ""):
        rows = _where(rows, f'"conversations_conversation"."last_status" {TROUBLED}')
    return rows.filter(last_status=status)


def standing(rows: QuerySet[Message], status: str) -> QuerySet[Message]:
    """Messages that stand so."""
    if status == Status.STREAMING:
        return rows.filter(pk__in=Generation.objects.values("pk"))
    if status != Status.COMPLETE:
        rows = _where(rows, f'"conversations_message"."status" {TROUBLED}')
    return rows.filter(status=status)


def rated(rows: QuerySet[Message], rating: str) -> QuerySet[Message]:
    """Messages with these thumbs."""
    return _where(rows, RATED).filter(feedback_rating=rating)


def _where(rows: QuerySet[Row], condition: str, *parameters: Any) -> QuerySet[Row]:
    """condition: of our own, with a place for each parameter"""
    return rows.filter(RawSQL(condition, parameters, BooleanField()))  # noqa: S611
