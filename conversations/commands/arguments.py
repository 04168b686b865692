"""Values that several commands take on their command line."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from datetime import date, timedelta

DURATION = re.compile(r"([1-9]\d{0,5})([mhd])")
UNITS = {"m": "minutes", "h": "hours", "d": "days"}
NEVER = "never"


def duration(text: str) -> timedelta:
    """`90d`, `12h`, `30m`."""
    match = DURATION.fullmatch(text)
    if match is None:
        raise ArgumentTypeError(f"{text!r} is not a duration such as 90d, 12h or 30m")
    return timedelta(**{UNITS[match[2]]: int(match[1])})


def duration_or_never(text: str) -> timedelta | None:
    """The same, or None for `never`."""
    if text == NEVER:
        return None
    try:
        return duration(text)
    except ArgumentTypeError as error:
        raise ArgumentTypeError(f"{error}, nor {NEVER}") from None


def day(text: str) -> date:
    """`2026-01-31`."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a day such as 2026-01-31") from None
