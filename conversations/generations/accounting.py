"""What a reply that has ended adds to the usage of its day."""

from __future__ import annotations

from datetime import UTC, datetime

from conversations.generations.generation import Generation
from conversations.models import Status
from conversations.store.usage import UsageKey, UsageSums, bucket


def usage_of(generation: Generation) -> tuple[UsageKey, UsageSums] | None:
    """The row and what to add to it; None where no vendor was ever asked, or another worker has counted it."""
    production = generation.production
    if not production.attempts or generation.buffer.ending is None:
        return None
    if generation.lost and generation.buffer.ending.status == Status.INTERRUPTED:
        return None
    last = production.attempts[-1]
    tally = generation.buffer.ending.tally
    sums = {
        "requests": 1,
        "input_tokens": tally.input_tokens if tally else 0,
        "output_tokens": tally.output_tokens if tally else 0,
        "errors": int(generation.buffer.ending.status == Status.FAILED),
        "fallbacks": int(production.serving is not None and last is not production.attempts[0]),
    }
    if production.time_to_first_token_ms is not None:
        sums[bucket(production.time_to_first_token_ms)] = 1
    key = UsageKey(datetime.now(UTC).date(), generation.owner_id or 0, last.provider, last.model)
    return key, sums
