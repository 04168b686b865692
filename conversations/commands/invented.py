"""What belongs to a reply that nobody gave: the attempts made for it, and what it adds to its day."""

from __future__ import annotations

from collections.abc import Sequence

from conversations.models import Attempt, Message, Status
from conversations.store.usage import UsageKey, UsageSums, bucket

FAILED = "vendor_failed"
OUTCOMES = {Status.COMPLETE: "complete", Status.FAILED: FAILED}
FAILED_WITHIN = 900
"""Milliseconds."""


def attempts_of(row: Message, provider: str, models: Sequence[str]) -> list[Attempt]:
    """One for each model, in the order they were asked. All but the last failed, and that one too without text."""
    return [_attempt(row, provider, model, last=model == models[-1]) for model in models]


def add_reply(
    usage: dict[UsageKey, UsageSums], row: Message, owner_id: int | None, provider: str, models: Sequence[str]
) -> None:
    """models: those that were asked for it"""
    sums = usage.setdefault(UsageKey(row.created_at.date(), owner_id or 0, provider, models[-1]), {})
    added = {
        "requests": 1,
        "input_tokens": row.input_tokens or 0,
        "output_tokens": row.output_tokens or 0,
        "errors": int(row.status == Status.FAILED),
        "fallbacks": int(bool(row.model) and len(models) > 1),
    }
    if row.time_to_first_token_ms is not None:
        added[bucket(row.time_to_first_token_ms)] = 1
    for name, amount in added.items():
        sums[name] = sums.get(name, 0) + amount


def _attempt(row: Message, provider: str, model: str, *, last: bool) -> Attempt:
    outcome = OUTCOMES.get(Status(row.status), str(row.status)) if last else FAILED
    failed = outcome == FAILED
    return Attempt(
        provider=provider,
        model=model,
        outcome=outcome,
        http_status=503 if failed else None,
        error="The vendor answered with status 503 (the provider failed)." if failed else "",
        duration_ms=(row.duration_ms or FAILED_WITHIN) if last else FAILED_WITHIN,
        created_at=row.created_at,
    )
