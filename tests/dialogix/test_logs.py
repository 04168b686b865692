from __future__ import annotations

import json
import logging
import sys
from typing import Any

from dialogix.logs import JsonFormatter, request_id


def line(message: str = "said", **fields: Any) -> dict[str, Any]:
    record = logging.makeLogRecord({"name": "some.logger", "levelname": "INFO", "msg": message, **fields})
    text = JsonFormatter().format(record)
    assert "\n" not in text
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def failed(error: Exception) -> dict[str, Any]:
    try:
        raise error
    except Exception:  # noqa: BLE001  (whatever the test gives)
        (first, *_) = line(exc_info=sys.exc_info())["exception"]
    described: dict[str, Any] = first
    return described


def test_it_writes_one_json_object() -> None:
    written = line("two\nlines")
    assert (written["level"], written["logger"], written["message"]) == ("info", "some.logger", "two\nlines")


def test_it_tells_the_time_in_utc() -> None:
    assert line(created=0.0)["time"] == "1970-01-01T00:00:00.000Z"


def test_it_adds_what_the_caller_added() -> None:
    assert line(model="gpt-4o", thing=object)["model"] == "gpt-4o"


def test_it_names_the_request() -> None:
    token = request_id.set("abc")
    written = line()
    request_id.reset(token)
    assert written["request_id"] == "abc"


def test_it_says_where_an_exception_came_from() -> None:
    described = failed(ValueError("wrong"))
    assert described["type"] == "builtins.ValueError"
    assert "test_logs.py" in described["frames"][-1]


def test_it_repeats_of_an_exception_only_the_first_line() -> None:
    assert failed(ValueError("broken row\nDETAIL: (secret)"))["message"] == "broken row"
