from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.services import environment, postgres

HEAD = """
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

class Migration(migrations.Migration):
    atomic = {atomic}
    operations = [{operation}]
"""

REFUSED = {
    "drops_a_column": ('migrations.RemoveField("message", "feedback_comment")', "ban-drop-column"),
    "drops_a_table": ('migrations.DeleteModel("Attempt")', "ban-drop-table"),
    "renames_a_column": ('migrations.RenameField("message", "request_id", "asked_as")', "renaming-column"),
    "renames_a_table": ('migrations.RenameModel("DailyUsage", "Usage")', "renaming-table"),
    "demands_a_column": (
        'migrations.AddField("message", "colour", models.TextField(default="red"))',
        "ban-drop-default",
    ),
    "forbids_null": (
        'migrations.AlterField("message", "duration_ms", models.PositiveIntegerField(default=0))',
        "adding-not-nullable-field",
    ),
    "rewrites_a_column": (
        'migrations.AlterField("message", "input_tokens", models.PositiveBigIntegerField(null=True))',
        "changing-column-type",
    ),
    "locks_for_an_index": (
        'migrations.AddIndex("message", models.Index(fields=["created_at"], name="by_time"))',
        "require-concurrent-index-creation",
    ),
    "locks_for_a_check": (
        'migrations.AddConstraint("message", models.CheckConstraint(condition=~models.Q(model="x"), name="no_x"))',
        "constraint-missing-not-valid",
    ),
    "locks_from_code": (
        'migrations.RunPython(lambda apps, schema: schema.execute("CREATE INDEX x ON conversations_message (model)"))',
        "require-concurrent-index-creation",
    ),
}

ACCEPTED = {
    "adds_what_may_be_null": 'migrations.AddField("message", "shade", models.TextField(null=True))',
    "adds_what_the_database_fills": 'migrations.AddField("message", "tint", models.TextField(db_default="red"))',
    "adds_a_table": 'migrations.CreateModel("Colour", [("id", models.BigAutoField(primary_key=True))])',
    "adds_an_index_beside_writers": (
        'AddIndexConcurrently("message", models.Index(fields=["created_at"], name="by_time_too"))'
    ),
}


Judged = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """What is said of all of these, one after the other."""
    folder = tmp_path_factory.mktemp("migrations")
    operations = {name: operation for name, (operation, _) in REFUSED.items()} | ACCEPTED
    return lint(*(write(folder, name, operation) for name, operation in operations.items()))


def lint(*files: Path) -> Judged:
    server = os.environ.get("TEST_DATABASE_URL") or postgres.server().url("postgres")
    return subprocess.run(
        [sys.executable, "-m", "tests.deploy.lint_migrations", *map(str, files)],
        cwd=environment.ROOT,
        env=environment.for_process(TEST_DATABASE_URL=server),
        capture_output=True,
        text=True,
        check=False,
    )


def write(folder: Path, name: str, operation: str) -> Path:
    file = folder / f"{name}.py"
    file.write_text(HEAD.format(operation=operation, atomic="Concurrently" not in operation), encoding="utf-8")
    return file


def rules(judged: Judged, name: str) -> set[str]:
    return {line.split(": ")[1] for line in judged.stdout.splitlines() if line.startswith(f"{name}: ")}


def test_it_has_nothing_to_say_about_ours() -> None:
    judged = lint()
    assert (judged.returncode, judged.stdout) == (0, ""), judged.stderr


def test_it_fails_where_one_is_refused(judged: Judged) -> None:
    assert judged.returncode == 1, judged.stderr


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_it_refuses_what_an_older_version_would_not_survive(judged: Judged, name: str) -> None:
    assert REFUSED[name][1] in rules(judged, name), judged.stdout + judged.stderr


@pytest.mark.parametrize("name", sorted(ACCEPTED))
def test_it_accepts_what_an_older_version_does_not_notice(judged: Judged, name: str) -> None:
    assert (rules(judged, name), judged.stderr) == (set(), "")
