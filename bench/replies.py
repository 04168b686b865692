"""What a client received, read after the measurement: bytes of an HTTP response to the text of the reply in it."""

from __future__ import annotations

import http.client
import json

from providers.wire import SSEDecoder


def problem(raw: bytes, expected: str) -> str | None:
    """What is wrong with a response that should have streamed `expected` to its end; None: nothing."""
    head, _, body = raw.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 ") or b"transfer-encoding: chunked" not in head.lower():
        return f"not a stream: {raw[:300]!r}"
    payloads = [data for _, data in SSEDecoder().feed(_unchunked(body))]
    if not payloads or payloads[-1] != b"[DONE]":
        return f"no end: {body[-200:]!r}"
    text = "".join(map(_delta, payloads[:-1]))
    return None if text == expected else f"{len(text)} characters of {len(expected)}, or others"


def stored_problem(port: int, conversation_id: str, expected: str) -> str | None:
    """The same of what the server has stored of it."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", f"/chat/history/{conversation_id}")
    messages = json.load(connection.getresponse()).get("messages")
    connection.close()
    if not messages or messages[-1]["role"] != "assistant" or messages[-1]["content"] != expected:
        return f"{conversation_id} is not stored as it was sent"
    return None


def _unchunked(body: bytes) -> bytes:
    parts, start = [], 0
    while True:
        end = body.index(b"\r\n", start)
        size = int(body[start:end], 16)
        if not size:
            return b"".join(parts)
        parts.append(body[end + 2 : end + 2 + size])
        start = end + 2 + size + 2


def _delta(payload: bytes) -> str:
    """The text in a frame of the contract's, or of the vendor's own, which the byte proxy passes on."""
    event = json.loads(payload)
    choices = event.get("choices")
    delta = event.get("delta") if choices is None else choices[0]["delta"] if choices else None
    return (delta or {}).get("content") or ""
