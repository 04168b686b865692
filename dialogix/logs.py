"""Structured logs: one JSON object a line, on stderr. Never contents, never keys."""

from __future__ import annotations

import logging
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import msgspec

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request that is being answered; empty outside of one."""

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "request"}
LONGEST_MESSAGE = 300


class JsonFormatter(logging.Formatter):
    """`time`, `level`, `logger`, `message`, `request_id` where there is one, and whatever `extra` added."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if current := request_id.get():
            line["request_id"] = current
        line.update((key, value) for key, value in vars(record).items() if key not in STANDARD)
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = describe(record.exc_info[1])
        return msgspec.json.encode(line, enc_hook=str).decode()


def record_what_is_told() -> None:
    """Have no record carry what no line of ours tells: the caller, its thread and process, found out for each anew.

    These are the standard library's own switches: docs.python.org/3/howto/logging.html#optimization.
    """
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


def describe(error: BaseException) -> list[dict[str, Any]]:
    """An exception and what caused it, the outermost first, each with where it came from.

    Of its message only the beginning of the first line: what follows may quote the row or the body it was about.
    """
    described: list[dict[str, Any]] = []
    current: BaseException | None = error
    while current is not None and len(described) < 8:
        described.append(
            {
                "type": f"{type(current).__module__}.{type(current).__qualname__}",
                "message": next(iter(str(current).splitlines()), "")[:LONGEST_MESSAGE],
                "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in _frames(current)],
            }
        )
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return described


def _frames(error: BaseException) -> traceback.StackSummary:
    return traceback.StackSummary.extract(traceback.walk_tb(error.__traceback__), lookup_lines=False)
