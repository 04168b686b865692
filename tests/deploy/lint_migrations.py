"""Refuses migrations that a running older version would not survive: `python -m tests.deploy.lint_migrations [FILE …]`.

Every migration of ours is carried out on an empty Postgres, and the SQL that Django then really sent, that of RunPython
included, goes to squawk. It names what locks a table that is in use, and what takes away or demands something that an
older version knows nothing of. FILE: a further migration that is judged as if it came next.

Exit codes: 0 nothing to say, 1 refused (one line for each finding, on stdout).
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.services import environment, postgres

if TYPE_CHECKING:
    from django.db.migrations import Migration

OURS = "conversations"

OTHERWISE = {
    "prefer-text-field": "Django's CharField is a varchar; making one longer needs no rewrite and a moment's lock",
    "prefer-bigint-over-int": "no integer of ours counts rows: they are tokens, milliseconds and process ids",
    "prefer-bigint-over-smallint": "the same: an HTTP status",
    "prefer-robust-stmts": "Django's migrations are transactions, and know what they have done",
    "require-lock-timeout": "deployments set it for the whole of `migrate` (PGOPTIONS)",
    "require-statement-timeout": "an index that is built concurrently may take its time",
}
"""Rules that are not asked, and why."""

EXEMPT = {
    "0001_initial": {
        "adding-required-field": "its tables are its own, and empty",
        "adding-foreign-key-constraint": "the same",
    },
}
"""What is known and harmless: migration, rule, and why."""


class Finding(NamedTuple):
    migration: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.migration}: {self.rule}: {self.message}"


def main() -> int:
    url = postgres.server().create()
    try:
        _prepare_django(url)
        found = [each for migration, sent in _carried_out(sys.argv[1:]) for each in _judged(migration, sent)]
    finally:
        postgres.server().drop(url)
    for finding in found:
        print(finding)
    return 1 if found else 0


def _prepare_django(url: str) -> None:
    for name in [name for name in os.environ if environment.is_ours(name)]:
        del os.environ[name]
    os.environ.update(environment.CLEAN, DATABASE_URL=url, DJANGO_SETTINGS_MODULE="dialogix.settings")

    import django

    django.setup()


def _carried_out(files: list[str]) -> Iterator[tuple[Migration, list[str]]]:
    """Each of our migrations and those in the files, with the statements that carried it out."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor
    from django.db.migrations.state import ProjectState

    executor = MigrationExecutor(connection)
    plan = [migration for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    state = ProjectState(real_apps=executor.loader.unmigrated_apps)
    for migration in [*plan, *map(_from_file, files)]:
        sent: list[str] = []

        def note(execute: Any, sql: str, *rest: Any, sent: list[str] = sent) -> Any:
            sent.append(sql)
            return execute(sql, *rest)

        with connection.execute_wrapper(note):
            state = executor.apply_migration(state, migration)
        if migration.app_label == OURS:
            yield migration, sent
    connection.close()


def _from_file(name: str) -> Migration:
    spec = importlib.util.spec_from_file_location(Path(name).stem, name)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    migration: Migration = module.Migration(Path(name).stem, OURS)
    return migration


def _judged(migration: Migration, sent: list[str]) -> list[Finding]:
    """What squawk finds in the statements, less what is exempt."""
    command = [Path(sysconfig.get_path("scripts")) / "squawk", "--reporter=json", f"--exclude={','.join(OTHERWISE)}"]
    command += ["--assume-in-transaction"] if migration.atomic else []
    schema = [
        sql for sql in sent if sql.split(None, 1)[0].upper() in ("ALTER", "CREATE", "DROP", "REINDEX", "TRUNCATE")
    ]
    judged = subprocess.run(
        list(map(str, command)),
        input="".join(f"{sql};\n" for sql in schema),
        capture_output=True,
        text=True,
        check=False,
    )
    if judged.returncode not in (0, 1):
        raise RuntimeError(judged.stderr)
    found = [Finding(migration.name, each["rule_name"], each["message"]) for each in json.loads(judged.stdout)]
    return [each for each in found if each.rule not in EXEMPT.get(migration.name, {})]


if __name__ == "__main__":
    sys.exit(main())
