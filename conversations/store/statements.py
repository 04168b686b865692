"""Single statements for the steps that every stored reply takes.

The ORM composes a statement anew each time, for 200 to 400 us of CPU where SQLite itself needs six: with it, storing a
short reply costs more than producing it. So these few steps are written out, in SQL that SQLite and PostgreSQL share;
whatever is not on the way of every reply stays with the ORM.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

from django.db.models import NOT_PROVIDED, Model, UUIDField

from conversations.database import own_connection

_UUID = UUIDField()

NOW = {"sqlite": "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW')", "postgresql": "STATEMENT_TIMESTAMP()"}
"""What Django's `Now` is there."""


def run(statement: str, parameters: Sequence[Any] = ()) -> int:
    """How many rows it changed. `{now}` in it is the database's own time."""
    cursor = _done(statement, parameters)
    changed = int(cursor.rowcount)
    cursor.close()
    return changed


def run_many(statement: str, parameters: Iterable[Sequence[Any]]) -> None:
    """The same statement for each row of parameters."""
    if rows := list(parameters):
        _done(statement, rows, many=True).close()


def rows(statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    cursor = _done(statement, parameters)
    found = list(cursor.fetchall())
    cursor.close()
    return found


def insert(model: type[Model], values: Mapping[str, Any]) -> int:
    """The primary key of a new row. values: by column; the others get what their model has for them."""
    statement, defaults = _insertion(model, tuple(values))
    cursor = _done(statement, (*values.values(), *defaults))
    key: int = cursor.fetchone()[0]
    cursor.close()
    return key


def uuid_parameter(value: UUID) -> object:
    """As this database keeps it."""
    return _UUID.get_db_prep_value(value, own_connection())


def _done(statement: str, parameters: Sequence[Any], *, many: bool = False) -> Any:
    """A cursor that has carried it out.

    On SQLite the driver's own: Django's costs three times what the statement does, most of it to find the places of
    parameters again. Where somebody counts or logs statements, they go through Django's as all others.
    """
    connection = own_connection()
    if connection.vendor != "sqlite" or connection.queries_logged:
        cursor: Any = connection.cursor()
        (cursor.executemany if many else cursor.execute)(_dressed(statement, connection.vendor), parameters)
        return cursor
    if connection.connection is None:
        connection.ensure_connection()
    driver: Any = connection.connection
    try:
        return (driver.executemany if many else driver.execute)(_for_driver(statement), parameters)
    except sqlite3.Error:
        with connection.wrap_database_errors:
            raise


@lru_cache(maxsize=1024)
def _for_driver(statement: str) -> str:
    return _dressed(statement, "sqlite").replace("%s", "?").replace("%%", "%")


@lru_cache(maxsize=1024)
def _dressed(statement: str, vendor: str) -> str:
    return statement.replace("{now}", NOW[vendor])


@cache
def _insertion(model: type[Model], columns: tuple[str, ...]) -> tuple[str, tuple[Any, ...]]:
    """The statement, and defaults for the columns that are not given, less those that the database fills in itself."""
    connection, meta = own_connection(), model._meta
    key = meta.pk
    assert key is not None
    left = [
        field
        for field in meta.concrete_fields
        if field.column not in columns and field is not key and field.db_default is NOT_PROVIDED
    ]
    quote = connection.ops.quote_name
    names = ", ".join(quote(name) for name in (*columns, *(str(field.column) for field in left)))
    places = ", ".join(["%s"] * (len(columns) + len(left)))
    statement = f"INSERT INTO {quote(meta.db_table)} ({names}) VALUES ({places}) RETURNING {quote(str(key.column))}"  # noqa: S608
    return statement, tuple(field.get_db_prep_save(field.get_default(), connection) for field in left)
