"""How often a caller may ask: `RATE_LIMIT` over all providers together, in a sliding window.

Counted and checked in one atomic step, so that a burst admits exactly what the limit says. Several workers share the
count through Redis; without it each has its own. When Redis is away the count goes on in this process.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import limits
from django.conf import settings

from conversations.api.counters import Window, counter
from conversations.api.errors import ApiError
from conversations.api.identity import Caller

RATE = re.compile(r"([1-9]\d{0,8})/([smhd])")
PERIODS = {
    "s": limits.RateLimitItemPerSecond,
    "m": limits.RateLimitItemPerMinute,
    "h": limits.RateLimitItemPerHour,
    "d": limits.RateLimitItemPerDay,
}
PERIOD_NAMES = {"s": "second", "m": "minute", "h": "hour", "d": "day"}


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a caller has left.

    limit:     requests per period
    remaining: requests that would be admitted at once
    reset:     seconds; none remain: until one more is admitted, else until the present period ends
    """

    limit: int
    remaining: int
    reset: int

    @property
    def headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset),
        }


async def spend(caller: Caller) -> Allowance:
    """Count one request. Raises ApiError 429, and counts nothing, where none remain."""
    rate = parse_rate(settings.RATE_LIMIT)
    admitted, window = await counter().hit(rate, caller.limit_key)
    allowance = _allowance(rate, window)
    if not admitted:
        raise _refusal(allowance)
    return allowance


async def peek(caller: Caller) -> Allowance:
    """What the caller has left, without counting."""
    rate = parse_rate(settings.RATE_LIMIT)
    return _allowance(rate, await counter().look(rate, caller.limit_key))


async def refund(caller: Caller) -> None:
    """Give back one request that was counted and then came to nothing."""
    await counter().give_back(parse_rate(settings.RATE_LIMIT), caller.limit_key)


@lru_cache(maxsize=8)
def parse_rate(text: str) -> limits.RateLimitItem:
    """`500/h` and the like. Raises ValueError for anything else."""
    match = RATE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not N/s, N/m, N/h or N/d")
    return PERIODS[match[2]](int(match[1]), namespace="chat")


def _allowance(rate: limits.RateLimitItem, window: Window) -> Allowance:
    remaining = window.remaining(rate.amount)
    seconds = window.ends_in if remaining else window.admits_in(rate.amount)
    return Allowance(rate.amount, remaining, min(int(seconds) + 1, rate.get_expiry()))


def _refusal(allowance: Allowance) -> ApiError:
    period = PERIOD_NAMES[settings.RATE_LIMIT.strip()[-1]]
    details = f"Rate limit exceeded: {allowance.limit} requests per {period}. Try again in {allowance.reset} seconds."
    return ApiError(429, details, headers={**allowance.headers, "Retry-After": str(allowance.reset)})
