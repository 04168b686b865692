"""`DATABASE_URL` as Django's `DATABASES` wants it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from dialogix import env
from dialogix.secretkey import private_folder

POSTGRES = ("postgres", "postgresql")
SCHEMES = ("sqlite", *POSTGRES)

SQLITE = {
    # Readers and one writer at a time, who waits for its turn at the beginning of a transaction. Django's defaults
    # fail at once where two transactions meet. The log of writes may grow to 16 MB, not 4, before it is worked into the
    # file: the same pages are written again and again, and each then goes there once.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=4000",
}
POOL = {"min_size": 1, "max_size": 12, "timeout": 3, "reconnect_timeout": 3}
"""One process's connections: the database threads of conversations, and the admin's.

timeout:           seconds to wait for one
reconnect_timeout: seconds for which one that was lost is tried again with growing pauses; whoever wants one later
                   begins anew. With long pauses, a worker would notice late that the database is back, and be taken for
                   dead by those that noticed at once
"""
CONNECT_SECONDS = 5


def configuration(name: str, url: str | None, *, default: Path, base: Path) -> dict[str, Any]:
    """One entry of `DATABASES`.

    name:    the variable that holds the URL, for messages
    url:     `sqlite:///beside-the-project.sqlite3`, `sqlite:////absolute.sqlite3`, or
             `postgres://user:password@host:port/name?sslmode=require`, where the query goes to libpq
    default: the SQLite file where there is no URL
    """
    checked = env.url(name, url, SCHEMES)
    if checked is None:
        private_folder(default.parent)
        return _sqlite(default)
    parts = urlsplit(checked)
    if not parts.path.strip("/") or (parts.scheme == "sqlite" and parts.netloc):
        env.refuse(name, "names no database: postgres://user@host/name or sqlite:///file.sqlite3.")
    if parts.scheme == "sqlite":
        return _sqlite(base / unquote(parts.path[1:]))
    return _postgres(parts)


def _postgres(parts: SplitResult) -> dict[str, Any]:
    from conversations.postgres import ImpatientConnection  # noqa: PLC0415  (its driver is not needed on SQLite)

    pool = {**POOL, "connection_class": ImpatientConnection}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        # A connection goes back to the pool after every unit of work, and is looked at before it is used again, so
        # that a database that was restarted costs nobody an error.
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": CONNECT_SECONDS, **dict(parse_qsl(parts.query)), "pool": pool},
    }


def _sqlite(file: Path) -> dict[str, Any]:
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": file, "OPTIONS": dict(SQLITE)}
