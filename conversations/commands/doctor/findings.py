from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from django.core import checks
from django.core.checks import CheckMessage

Level = Literal["ok", "note", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """level: `problem` where something does not work, `warning` where it may not for long;  mend: what to do"""

    subject: str
    level: Level
    text: str
    mend: str = ""


def healthy(found: Iterable[Finding]) -> bool:
    return all(each.level != "problem" for each in found)


def of_settings() -> Iterator[Finding]:
    """What `manage.py check` says."""
    said = [each for each in checks.run_checks() if not each.is_silenced()]
    for each in said:
        yield Finding("settings", _level(each), each.msg, each.hint or "")
    if not said:
        yield Finding("settings", "ok", "manage.py check finds nothing.")


def _level(message: CheckMessage) -> Level:
    if message.level >= checks.ERROR:
        return "problem"
    return "warning" if message.level >= checks.WARNING else "note"
