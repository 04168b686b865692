"""How the database goes about a statement."""

from __future__ import annotations

from django.db import connection


def plan_of(sql: str) -> list[str]:
    """How a large table would be read: the planner is kept from reading a small one as a whole."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            return [row[3] for row in cursor.fetchall()]
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN {sql}")
        return [row[0] for row in cursor.fetchall() if " on " in row[0]]


def know_tables() -> None:
    """Have the planner know our tables as they are, and that an index alone can answer for each of their rows."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        if connection.vendor == "postgresql":  # what VACUUM would find, which runs in no transaction
            cursor.execute("UPDATE pg_class SET relallvisible = relpages WHERE relname LIKE 'conversations_%'")
