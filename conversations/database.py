"""How coroutines reach the database: one function per step, on threads of our own.

SQLite takes one writer at a time, so writes have one thread and never fight for the file's lock within a process; on
Postgres a few run side by side. Whatever runs here has no connection when it ends (Postgres: it went back to the
pool), so none is held while a vendor is waited for. A Postgres that is away or hangs is waited for with little
patience: an error that comes soon can be told to a client, and lets the next one have the thread.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connection

from conversations.patience import patient

P = ParamSpec("P")
T = TypeVar("T")

READERS = 4
POSTGRES_WRITERS = 4

PATIENCE = 5.0
"""Seconds within which a unit of work has to get its thread and Postgres's first answer, and then each further one."""


@cache
def _readers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(READERS, thread_name_prefix="database-read")


@cache
def _writers() -> ThreadPoolExecutor:
    threads = 1 if connection.vendor == "sqlite" else POSTGRES_WRITERS
    return ThreadPoolExecutor(threads, thread_name_prefix="database-write")


def _unit(asked_at: float, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """One unit of work on this thread's connection, which is left clean."""
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


async def read(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `work(*args)` where it may read. Database errors pass through."""
    return await _run(_readers(), work, *args, **kwargs)


async def write(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `work(*args)` where it may write. Database errors pass through."""
    return await _run(_writers(), work, *args, **kwargs)


async def _run(executor: ThreadPoolExecutor, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    loop, asked_at = asyncio.get_running_loop(), time.monotonic()
    return await loop.run_in_executor(executor, lambda: _unit(asked_at, work, *args, **kwargs))
