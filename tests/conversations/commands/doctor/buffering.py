"""A proxy such as nobody wants: it reads the whole answer before it passes it on."""

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
    """The proxy's URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(upstream))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _handler(upstream: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {"Authorization": self.headers.get("Authorization", "")}
            answer = httpx.get(upstream + self.path, headers=headers, timeout=30, trust_env=False)
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name not in DROPPED:
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler
