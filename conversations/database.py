"""How coroutines reach the database: one function per step, on threads of our own.

SQLite takes one writer at a time, so writes have one thread and never fight for the file's lock within a process; on
Postgres a few run side by side. Whatever runs here has no connection when it ends (Postgres: it went back to the
pool), so none is held while a vendor is waited for. A Postgres that is away or hangs is waited for with little
patience: an error that comes soon can be told to a client, and lets the next one have the thread.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import ParamSpec, TypeVar

from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from conversations.patience import patient
from conversations.threads import Threads

P = ParamSpec("P")
T = TypeVar("T")

READERS = 4
POSTGRES_WRITERS = 4

PATIENCE = 5.0
"""Seconds within which a unit of work has to get its thread and Postgres's first answer, and then each further one."""


class _Thread(threading.local):
    connection: BaseDatabaseWrapper | None = None


_thread = _Thread()


def own_connection() -> BaseDatabaseWrapper:
    """This thread's connection itself: its stand-in `django.db.connection` looks it up for every attribute."""
    if _thread.connection is None:
        _thread.connection = connections[DEFAULT_DB_ALIAS]
    return _thread.connection


@cache
def _readers() -> Threads:
    return Threads(READERS, "database-read")


@cache
def _writers() -> Threads:
    return Threads(1 if own_connection().vendor == "sqlite" else POSTGRES_WRITERS, "database-write")


def _unit(asked_at: float, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """One unit of work on this thread's connection, which is left clean."""
    connection = own_connection()
    try:
        if connection.vendor == "sqlite":
            return work(*args, **kwargs)
        return _impatiently(asked_at + PATIENCE, work, *args, **kwargs)
    except (OperationalError, InterfaceError):
        connection.close()  # whatever broke, the next unit begins with a fresh one
        raise
    finally:
        if connection.vendor != "sqlite":
            connection.close()


def _impatiently(until: float, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """until: when the first answer has to be there; work that gets its thread later than that is not begun"""
    if time.monotonic() > until:
        raise OperationalError("All threads were busy with a database that answers too slowly.")
    with patient(PATIENCE, until):
        return work(*args, **kwargs)


def read(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
    """Run `work(*args)` where it may read. Database errors pass through."""
    return _run(_readers(), work, *args, **kwargs)


def write(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
    """Run `work(*args)` where it may write. Database errors pass through."""
    return _run(_writers(), work, *args, **kwargs)


def _run(threads: Threads, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
    asked_at = time.monotonic()
    return threads.run(lambda: _unit(asked_at, work, *args, **kwargs))
