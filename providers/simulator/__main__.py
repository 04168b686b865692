"""`python -m providers.simulator`: the simulator alone, in the foreground, on loopback unless told otherwise."""

from __future__ import annotations

import argparse
import asyncio
import signal
import socket

import uvloop

from providers.simulator.app import App
from providers.simulator.book import Book
from providers.simulator.server import LOOPBACK, environment, listen, root_url, serve


def main() -> None:
    options = _options()
    uvloop.run(_serve(listen(options.host, options.port), options))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m providers.simulator", description="The vendors' APIs, simulated.")
    parser.add_argument("--host", default=LOOPBACK, help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes any free one")
    parser.add_argument("--quiet", action="store_true", help="print the root URL alone")
    parser.add_argument("--no-recording", action="store_true", help="keep no requests (for benchmarks)")
    return parser.parse_args()


def _banner(root: str) -> str:
    lines = [f"The simulator answers at {root} for OpenAI, Anthropic and Google. To use it:", ""]
    lines += [f"export {name}={value}" for name, value in environment(root).items()]
    return "\n".join(lines)


async def _serve(listener: socket.socket, options: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    root = root_url(listener)
    # Last of all: whoever reads this may stop the process at once.
    print(root if options.quiet else _banner(root), flush=True)
    await serve(listener, App(Book(recording=not options.no_recording)), stopped)


if __name__ == "__main__":
    main()
