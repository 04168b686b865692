"""The simulator on a socket of its own: inside this process for whoever has no key, or alone in the foreground."""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import socket
import threading
from typing import Any

import uvloop
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from providers.simulator.app import App
from providers.simulator.player import TRANSPORT

LOOPBACK = "127.0.0.1"
BACKLOG = 2048
PATHS = {"openai": "/openai/v1", "anthropic": "/anthropic", "gemini": "/gemini"}

logger = logging.getLogger(__name__)


def base_url(vendor: str, root: str) -> str:
    """What the vendor's SDK takes for its base URL. vendor: `openai`, `anthropic` or `gemini`."""
    return root + PATHS[vendor]


def environment(root: str) -> dict[str, str]:
    """The variables that point the three providers, and the vendors' own SDKs, to the simulator."""
    return {
        "OPENAI_API_KEY": "simulator",
        "OPENAI_BASE_URL": base_url("openai", root),
        "ANTHROPIC_API_KEY": "simulator",
        "ANTHROPIC_BASE_URL": base_url("anthropic", root),
        "GEMINI_API_KEY": "simulator",
        "GOOGLE_GEMINI_BASE_URL": base_url("gemini", root),
    }


def ensure_running() -> str:
    """Start the simulator in a thread of this process, unless it runs. Returns its root URL."""
    global _running
    with _lock:
        if _running is None or not _running.alive:
            _running = _Background()
        return _running.root


def stop() -> None:
    """Close every connection and the socket. Nothing where it does not run."""
    global _running
    with _lock:
        background, _running = _running, None
    if background is not None:
        background.stop()


def listen(host: str = LOOPBACK, port: int = 0) -> socket.socket:
    """A listening socket. Raises OSError where the address is taken."""
    return socket.create_server((host, port), backlog=BACKLOG)


def root_url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"


async def serve(listener: socket.socket, app: App, stopped: asyncio.Event) -> None:
    """Answer until `stopped`, then close what is open: a stalled stream would never end by itself."""
    config, state = _config(app), ServerState()
    loop = asyncio.get_running_loop()

    def protocol() -> _Protocol:
        return _Protocol(config=config, server_state=state, app_state={})

    server = await loop.create_server(protocol, sock=listener, backlog=BACKLOG)
    await stopped.wait()
    server.close()
    for connection in list(state.connections):
        connection.transport.abort()
    if state.tasks:
        await asyncio.wait(state.tasks, timeout=1)


class _Protocol(HttpToolsProtocol):
    """uvicorn's protocol, with a logger of ours and the transport in reach of the scripts that break connections."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.logger = logger
        self.access_log = False

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {TRANSPORT: self.transport}  # type: ignore[dict-item]


class _QuietConfig(Config):
    def configure_logging(self) -> None:
        """Nothing: uvicorn's loggers belong to the server whose process this may be."""


def _config(app: App) -> Config:
    config = _QuietConfig(app, http=_Protocol, ws="none", lifespan="off", interface="asgi3", timeout_keep_alive=120)
    config.load()
    return config


class _Background:
    """The simulator in a daemon thread with an event loop of its own."""

    def __init__(self) -> None:
        self._listener = listen()
        self.root = root_url(self._listener)
        self._loop = uvloop.new_event_loop()
        self._stopped = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(serve(self._listener, App(), self._stopped))

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        if self.alive:
            self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(timeout=5)

    def abandon(self) -> None:
        """In a forked child, where neither thread nor loop exist: let go of the parent's socket."""
        os.close(self._listener.detach())


_running: _Background | None = None
_lock = threading.Lock()


def _forget_after_fork() -> None:
    global _running, _lock
    if _running is not None:
        _running.abandon()
    _running, _lock = None, threading.Lock()


os.register_at_fork(after_in_child=_forget_after_fork)
atexit.register(stop)
