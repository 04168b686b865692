"""Databases of their own for the servers that tests start, migrated once and then copied."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from itertools import count
from pathlib import Path

from tests.services import environment, postgres

_numbers = count(1)


def fresh(kind: str | None = None) -> str:
    """The `DATABASE_URL` of a new database with our tables. kind: `sqlite` or `postgres`; by default this run's."""
    if (kind or environment.database()) == "postgres":
        return postgres.server().create(_postgres_template())
    copy = environment.FOLDER / f"server-{next(_numbers)}.sqlite3"
    shutil.copy(_sqlite_template(), copy)
    return f"sqlite:///{copy}"


def drop(url: str) -> None:
    if url.startswith("postgres"):
        postgres.server().drop(url)


@cache
def _postgres_template() -> str:
    name = postgres.server().create()
    migrate(name)
    return name.rpartition("/")[2]


@cache
def _sqlite_template() -> Path:
    file = environment.FOLDER / "template.sqlite3"
    migrate(f"sqlite:///{file}")
    return file


def migrate(url: str) -> None:
    """Give a database our tables."""
    command = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
    subprocess.run(command, cwd=environment.ROOT, env=environment.for_process(DATABASE_URL=url), check=True)
