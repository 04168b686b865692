"""Proxies such as nobody wants: one reads the whole answer before it passes it on, one breaks off."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

DROPPED = ("transfer-encoding", "connection", "content-length")


@contextmanager
def buffering_proxy(upstream: str) -> Iterator[str]:
    """Yields its URL."""
    with _served(_buffering(upstream)) as url:
        yield url


@contextmanager
def breaking_proxy(upstream: str, lines: int) -> Iterator[str]:
    """Yields the URL of one that closes the connection after so many lines of an answer."""
    with _served(_breaking(upstream, lines)) as url:
        yield url


@contextmanager
def _served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class _Silent(BaseHTTPRequestHandler):
    def begin(self, answer: httpx.Response) -> None:
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name not in DROPPED:
                self.send_header(name, value)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _buffering(upstream: str) -> type[BaseHTTPRequestHandler]:
    class Handler(_Silent):
        def do_GET(self) -> None:
            headers = {"Authorization": self.headers.get("Authorization", "")}
            answer = httpx.get(upstream + self.path, headers=headers, timeout=30, trust_env=False)
            self.begin(answer)
            self.end_headers()
            self.wfile.write(answer.content)

    return Handler


def _breaking(upstream: str, lines: int) -> type[BaseHTTPRequestHandler]:
    class Handler(_Silent):
        def do_GET(self) -> None:
            with httpx.stream("GET", upstream + self.path, timeout=30, trust_env=False) as answer:
                self.begin(answer)
                self.send_header("Content-Length", "1000000")
                self.end_headers()
                for _, line in zip(range(lines), answer.iter_lines(), strict=False):
                    self.wfile.write(f"{line}\n".encode())
            self.close_connection = True

    return Handler
