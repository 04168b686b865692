"""The entry point of `make run` and of the image: `python -m dialogix.serve [--migrate]`.

Exit codes: 0 stopped when told to, 1 could not begin (the port is taken, the database cannot be migrated), 2 a bad
environment. The reason is one line on stderr.
"""

from __future__ import annotations

import argparse
import asyncio
import errno
import os
import resource
import socket
import sys
from contextlib import suppress
from typing import NoReturn

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dialogix.settings")

import django
from django.conf import settings

from dialogix.garbage import look_less_often
from dialogix.logs import record_what_is_told
from dialogix.workers import READY, WORKER, Supervisor

UNREAD_MILLISECONDS = 60_000
"""That a client may leave unread what was sent to it."""


def main() -> None:
    options = _options()
    look_less_often()
    django.setup()
    record_what_is_told()
    _raise_file_limit()
    if options.worker:
        _serve_as_worker(*options.worker)
        return
    listener = _listen(settings.HOST, settings.PORT)
    if options.migrate:
        _migrate()
    if settings.WEB_WORKERS == 1:
        from dialogix import server  # noqa: PLC0415  (imports the whole application)

        server.run(listener, lambda: _announce(listener))
    else:
        asyncio.run(_supervise(listener))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m dialogix.serve", description="Serve Dialogix on HOST and PORT.")
    parser.add_argument("--migrate", action="store_true", help="bring the database up to date first")
    parser.add_argument(WORKER, nargs=2, type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def _listen(host: str, port: int) -> socket.socket:
    from dialogix.server import BACKLOG  # noqa: PLC0415  (imports the whole application)

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        reason = "is in use by another program" if error.errno == errno.EADDRINUSE else f"cannot be used: {error}"
        _give_up(f"PORT {port} on {host} {reason}. Choose another with PORT=… or stop that program.")
    _bound_reading(listener)
    return listener


def _bound_reading(listener: socket.socket) -> None:
    """Have the kernel end connections whose client takes nothing of what was sent to it, or is gone without a word.

    Accepted connections inherit it. Where a system has no such option, its own limits (minutes, or none) hold.
    """
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MILLISECONDS)


def _migrate() -> None:
    from django.core.management import call_command  # noqa: PLC0415  (needed at some starts only)
    from django.db import DatabaseError, connection  # noqa: PLC0415  (after the settings were judged)
    from django.db.migrations.executor import MigrationExecutor  # noqa: PLC0415  (the same)

    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            print("Bringing the database up to date.", flush=True)
            call_command("migrate", interactive=False, verbosity=0)
    except DatabaseError as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        _give_up(f"The database cannot be migrated (DATABASE_URL): {reason}")
    finally:
        connection.close()


async def _supervise(listener: socket.socket) -> None:
    supervisor = Supervisor(listener, settings.WEB_WORKERS, settings.SHUTDOWN_GRACE, lambda: _announce(listener))
    await supervisor.run()


def _serve_as_worker(listening: int, line: int) -> None:
    from dialogix import server  # noqa: PLC0415  (imports the whole application)

    supervisor = socket.socket(fileno=line)
    supervisor.setblocking(False)
    server.run(socket.socket(fileno=listening), lambda: _say_ready(supervisor), watch=supervisor)


def _say_ready(supervisor: socket.socket) -> None:
    with suppress(OSError):  # it is gone: the server notices by itself
        supervisor.send(READY)


def _announce(listener: socket.socket) -> None:
    from dialogix.banner import banner  # noqa: PLC0415  (needed once)

    print(banner(settings.HOST, listener.getsockname()[1]), flush=True)


def _raise_file_limit() -> None:
    """A stream takes two descriptors, the client's and the vendor's; shells begin with 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _give_up(reason: str) -> NoReturn:
    print(reason, file=sys.stderr)
    raise SystemExit(1)


if __name__ == "__main__":
    main()
