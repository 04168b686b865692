"""The database: its version and settings, its clock, its tables, and the room it has."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from conversations.commands.doctor.findings import Finding, Level
from conversations.store import unindexed

OLDEST_POSTGRES = 140_000
SLOW = 0.02
"""Seconds for one question; a reply asks a few of them."""

LOOKED_AT = 500
"""Messages, the oldest ones."""

CLOCK_TOLERANCE = 2.0
GIB = 2**30
LITTLE, TOO_LITTLE = 2 * GIB, GIB // 4
"""Bytes of free space."""


def database() -> Iterator[Finding]:
    """Everything about it; only that it cannot be reached where that is so."""
    try:
        seconds = _round_trip()
    except DatabaseError as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        yield Finding("database", "problem", f"It cannot be reached: {reason}", "Look at DATABASE_URL and the server.")
        return
    yield from _sqlite() if connection.vendor == "sqlite" else _postgres()
    level: Level = "warning" if seconds > SLOW else "ok"
    mend = "Bring server and database nearer to each other." if seconds > SLOW else ""
    yield Finding("database", level, f"It answers in {seconds * 1000:.1f} ms.", mend)
    yield _clock()
    yield _migrations()


def searchable() -> Iterator[Finding]:
    """Whether the oldest messages, which are those that may be older than the index, are in it."""
    if unindexed.messages_after(0, LOOKED_AT).missing:
        told = "Messages that were stored before there was an index for it are not found by a search."
        yield Finding("search", "warning", told, "Run manage.py index_messages.")
    else:
        yield Finding("search", "ok", "The oldest messages are in its index.")


def disk() -> Iterator[Finding]:
    """Room where the SQLite file, or else the state of this machine, is."""
    name = settings.DATABASES["default"]["NAME"] if connection.vendor == "sqlite" else settings.STATE_DIR
    folder = Path(name).resolve()
    while not folder.is_dir():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    level: Level = "problem" if free < TOO_LITTLE else "warning" if free < LITTLE else "ok"
    mend = "" if level == "ok" else f"Make room in {folder}; manage.py purge_conversations erases old conversations."
    yield Finding("disk", level, f"{free / GIB:.1f} GiB are free.", mend)


def _round_trip() -> float:
    """The middle one of five."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        _asked("SELECT 1")
        times.append(time.perf_counter() - began)
    return sorted(times)[2]


def _sqlite() -> Iterator[Finding]:
    version = ".".join(map(str, connection.Database.sqlite_version_info))  # type: ignore[attr-defined]
    mode, synchronous, busy = (_asked(f"PRAGMA {name}") for name in ("journal_mode", "synchronous", "busy_timeout"))
    immediate = connection.settings_dict["OPTIONS"].get("transaction_mode") == "IMMEDIATE"
    told = f"SQLite {version}: journal {mode}, synchronous {synchronous}, busy timeout {busy} ms"
    if mode != "wal":
        yield Finding("database", "problem", told, "WAL needs a local disk, not one that is mounted over a network.")
    elif busy < 5000 or not immediate:
        yield Finding("database", "problem", told, "The project's own settings have a timeout of 20 s and IMMEDIATE.")
    else:
        yield Finding("database", "ok", f"{told}.")


def _postgres() -> Iterator[Finding]:
    number, version = int(_asked("SHOW server_version_num")), _asked("SHOW server_version")
    if number < OLDEST_POSTGRES:
        yield Finding("database", "problem", f"PostgreSQL {version} is too old.", "Use 14 or newer.")
    else:
        yield Finding("database", "ok", f"PostgreSQL {version}.")
    encoding = _asked("SHOW server_encoding")
    if encoding != "UTF8":
        yield Finding(
            "database", "problem", f"Its encoding is {encoding}.", "Create the database with ENCODING 'UTF8'."
        )
    pool = connection.settings_dict["OPTIONS"].get("pool") or {}
    needed = int(pool.get("max_size", 0)) * settings.WEB_WORKERS
    allowed = int(_asked("SHOW max_connections")) - int(_asked("SHOW superuser_reserved_connections"))
    level: Level = "warning" if needed > allowed else "ok"
    mend = "Fewer WEB_WORKERS, a higher max_connections, or a pooler between." if level == "warning" else ""
    yield Finding("database", level, f"This node takes up to {needed} of its {allowed} connections.", mend)


def _clock() -> Finding:
    if connection.vendor == "sqlite":
        return Finding("clock", "ok", "The database's clock is this machine's.")
    before = datetime.now(UTC)
    theirs = _asked("SELECT clock_timestamp()")
    ours = before + (datetime.now(UTC) - before) / 2
    apart = abs((theirs - ours).total_seconds())
    if apart > CLOCK_TOLERANCE:
        return Finding("clock", "warning", f"Ours and the database's are {apart:.1f} s apart.", "Let NTP set both.")
    return Finding("clock", "ok", f"Ours and the database's are {apart * 1000:.0f} ms apart.")


def _migrations() -> Finding:
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if not pending:
        return Finding("migrations", "ok", "All are applied.")
    names = ", ".join(f"{each.app_label}.{each.name}" for each, _ in pending[:3])
    more = f" and {len(pending) - 3} more" if len(pending) > 3 else ""
    return Finding("migrations", "problem", f"To be applied: {names}{more}.", "Run manage.py migrate.")


def _asked(statement: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]
