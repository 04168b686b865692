"""The routes under `/_simulator/`, with which tests and benchmarks steer the simulator from another process."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

import msgspec

from providers.simulator.book import Book
from providers.simulator.player import Send
from providers.simulator.scripts import Assignment


async def answer(book: Book, method: str, path: str, body: bytes, send: Send) -> None:
    try:
        status, value = _act(book, method, path, body)
    except ValueError as error:
        status, value = HTTPStatus.BAD_REQUEST, {"error": str(error)}
    # Plain ASCII: halves of surrogate pairs have no UTF-8.
    content = json.dumps(value).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": content, "more_body": False})


def _act(book: Book, method: str, path: str, body: bytes) -> tuple[int, Any]:
    """Status and JSON value. Raises ValueError for a body that is not as it must be."""
    match method, path:
        case "PUT", "/_simulator/scripts":
            book.assignments = _assignments(body)
        case "POST", "/_simulator/scripts":
            book.assignments = book.assignments + _assignments(body)
        case "DELETE", "/_simulator/scripts":
            book.assignments = []
        case "GET", "/_simulator/scripts":
            return HTTPStatus.OK, [msgspec.to_builtins(assignment) for assignment in book.assignments]
        case "GET", "/_simulator/requests":
            return HTTPStatus.OK, [exchange.describe() for exchange in book.exchanges()]
        case "DELETE", "/_simulator/requests":
            book.forget()
        case "PUT", "/_simulator/recording":
            book.recording = msgspec.convert(json.loads(body), bool)
        case "GET", "/":
            return HTTPStatus.OK, {"simulator": ["/openai/v1", "/anthropic", "/gemini"]}
        case _:
            return HTTPStatus.NOT_FOUND, {"error": f"The simulator has no {method} {path}."}
    return HTTPStatus.OK, {"ok": True}


def _assignments(body: bytes) -> list[Assignment]:
    # Not msgspec's own parser, which refuses the halves of surrogate pairs that some scripts are about.
    return msgspec.convert(json.loads(body), list[Assignment])
