"""Single statements for the steps that every stored reply takes.

The ORM composes a statement anew each time, for 200 to 400 us of CPU where SQLite itself needs six: with it, storing a
short reply costs more than producing it. So these few steps are written out, in SQL that SQLite and PostgreSQL share;
whatever is not on the way of every reply stays with the ORM.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import NOT_PROVIDED, Model, UUIDField

_UUID = UUIDField()

NOW = {"sqlite": "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW')", "postgresql": "STATEMENT_TIMESTAMP()"}
"""What Django's `Now` is there."""


def run(statement: str, parameters: Sequence[Any] = ()) -> int:
    """How many rows it changed. `{now}` in it is the database's own time."""
    own = _own()
    with closing(_done(own, _dressed(statement, own.vendor), parameters)) as cursor:
        return int(cursor.rowcount)


def run_many(statement: str, parameters: Iterable[Sequence[Any]]) -> None:
    """The same statement for each row of parameters."""
    if rows := list(parameters):
        own = _own()
        _done(own, _dressed(statement, own.vendor), rows, many=True).close()


def rows(statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    with closing(_done(_own(), statement, parameters)) as cursor:
        return list(cursor.fetchall())


def insert(model: type[Model], values: Mapping[str, Any]) -> int:
    """The primary key of a new row. values: by column; the others get what their model has for them."""
    own = _own()
    statement, defaults = _insertion(model, tuple(values), own.vendor)
    with closing(_done(own, statement, (*values.values(), *defaults))) as cursor:
        key: int = cursor.fetchone()[0]
        return key


def uuid_parameter(value: UUID) -> object:
    """As this database keeps it."""
    return _UUID.get_db_prep_value(value, _own())


def _own() -> BaseDatabaseWrapper:
    """This thread's connection itself: its stand-in `django.db.connection` looks it up for every attribute."""
    return connections[DEFAULT_DB_ALIAS]


def _done(own: BaseDatabaseWrapper, statement: str, parameters: Sequence[Any], *, many: bool = False) -> Any:
    """A cursor that has carried it out.

    On SQLite the driver's own: Django's costs three times what the statement does, most of it to find the places of
    parameters again. Where somebody counts or logs statements, they go through Django's as all others.
    """
    if own.vendor != "sqlite" or own.queries_logged:
        cursor: Any = own.cursor()
        (cursor.executemany if many else cursor.execute)(statement, parameters)
        return cursor
    own.ensure_connection()
    with own.wrap_database_errors:
        driver: Any = own.connection
        return (driver.executemany if many else driver.execute)(_for_driver(statement), parameters)


@lru_cache(maxsize=1024)
def _for_driver(statement: str) -> str:
    return statement.replace("%s", "?").replace("%%", "%")


@cache
def _dressed(statement: str, vendor: str) -> str:
    return statement.replace("{now}", NOW[vendor])


@cache
def _insertion(model: type[Model], columns: tuple[str, ...], vendor: str) -> tuple[str, tuple[Any, ...]]:
    """The statement, and defaults for the columns that are not given, less those that the database fills in itself."""
    own, meta = _own(), model._meta
    key = meta.pk
    assert key is not None
    left = [
        field
        for field in meta.concrete_fields
        if field.column not in columns and field is not key and field.db_default is NOT_PROVIDED
    ]
    quote = own.ops.quote_name
    names = ", ".join(quote(name) for name in (*columns, *(str(field.column) for field in left)))
    places = ", ".join(["%s"] * (len(columns) + len(left)))
    statement = f"INSERT INTO {quote(meta.db_table)} ({names}) VALUES ({places}) RETURNING {quote(str(key.column))}"  # noqa: S608
    return statement, tuple(field.get_db_prep_save(field.get_default(), own) for field in left)
