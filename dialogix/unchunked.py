"""Answers for clients of HTTP/1.0, which know no chunks: a body of unknown length ends with its connection.

uvicorn would send them chunks, whose sizes then stand in the text (RFC 9112, section 6.1).
"""

from __future__ import annotations

from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

HOPS = (b"connection", b"transfer-encoding")


def unchunk(cycle: RequestResponseCycle) -> None:
    """For an answer that has not begun."""
    cycle.chunked_encoding = False
    cycle.send = partial(_send, cycle)  # type: ignore[method-assign]


async def _send(cycle: RequestResponseCycle, message: Any) -> None:
    if message["type"] == "http.response.start":
        # uvicorn itself says that the connection ends.
        message["headers"] = [each for each in message.get("headers", ()) if each[0].lower() not in HOPS]
    # As long as it is: whether it is as long as was announced nobody counts here.
    cycle.expected_content_length = len(message.get("body", b""))
    await RequestResponseCycle.send(cycle, message)
