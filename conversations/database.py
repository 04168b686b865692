"""How coroutines reach the database: one function per step, on threads of our own.

SQLite takes one writer at a time, so writes have one thread and never fight for the file's lock within a process; on
Postgres a few run side by side. Whatever runs here has no connection when it ends (Postgres: it went back to the
pool), so none is held while a vendor is waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connection

P = ParamSpec("P")
T = TypeVar("T")

READERS = 4
POSTGRES_WRITERS = 4


@cache
def _readers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(READERS, thread_name_prefix="database-read")


@cache
def _writers() -> ThreadPoolExecutor:
    threads = 1 if connection.vendor == "sqlite" else POSTGRES_WRITERS
    return ThreadPoolExecutor(threads, thread_name_prefix="database-write")


def _unit(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """One unit of work on this thread's connection, which is left clean."""
    try:
        return work(*args, **kwargs)
    except (OperationalError, InterfaceError):
        connection.close()  # whatever broke, the next unit begins with a fresh one
        raise
    finally:
        if connection.vendor != "sqlite":
            connection.close()


async def read(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `work(*args)` where it may read. Database errors pass through."""
    return await _run(_readers(), work, *args, **kwargs)


async def write(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `work(*args)` where it may write. Database errors pass through."""
    return await _run(_writers(), work, *args, **kwargs)


async def _run(executor: ThreadPoolExecutor, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(executor, lambda: _unit(work, *args, **kwargs))
