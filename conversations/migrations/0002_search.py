"""The table of what can be searched, and the full-text index over it."""

from __future__ import annotations

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

import conversations.models.search

TOKENS = """replace({row}.words, ' ', ' §') || coalesce(replace({row}.words, ' ', ' ' || {row}.owner_id || '§'), '')"""
"""Each word after a `§`, which no word contains; and once more after its owner and a `§`."""

SQLITE = (
    # No text is kept twice (`content=''`), no position within it (`detail=none`). Words come folded: nothing is left
    # for a tokenizer to do but to split at spaces, and to `ascii` everything beyond ASCII is part of a word.
    "CREATE VIRTUAL TABLE conversations_searchindex USING fts5("
    "words, content='', columnsize=0, detail=none, tokenize='ascii')",
    "CREATE TRIGGER conversations_searchentry_added AFTER INSERT ON conversations_searchentry BEGIN "
    f"INSERT INTO conversations_searchindex (rowid, words) VALUES (new.id, {TOKENS.format(row='new')}); END",
    "CREATE TRIGGER conversations_searchentry_removed AFTER DELETE ON conversations_searchentry BEGIN "
    "INSERT INTO conversations_searchindex (conversations_searchindex, rowid, words) "
    f"VALUES ('delete', old.id, {TOKENS.format(row='old')}); END",
)
SQLITE_BACK = (
    "DROP TRIGGER conversations_searchentry_added",
    "DROP TRIGGER conversations_searchentry_removed",
    "DROP TABLE conversations_searchindex",
)
POSTGRES = (
    # New words wait in a list of their own until it is full. Every search reads that list, so it is kept short.
    "CREATE INDEX conversations_searchindex ON conversations_searchentry USING gin (words) "
    "WITH (fastupdate = on, gin_pending_list_limit = 512)",
)
POSTGRES_BACK = ("DROP INDEX conversations_searchindex",)


def create_index(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    _execute(schema_editor, POSTGRES if schema_editor.connection.vendor == "postgresql" else SQLITE)


def drop_index(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    _execute(schema_editor, POSTGRES_BACK if schema_editor.connection.vendor == "postgresql" else SQLITE_BACK)


def _execute(schema_editor: BaseDatabaseSchemaEditor, statements: tuple[str, ...]) -> None:
    for statement in statements:
        schema_editor.execute(statement, None)


class Migration(migrations.Migration):
    dependencies = [("conversations", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="SearchEntry",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        help_text="A message's key, or minus a conversation's for its title",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("conversation_id", models.BigIntegerField(db_index=True)),
                ("owner_id", models.BigIntegerField(null=True)),
                ("words", conversations.models.search.WordsField()),
            ],
            options={"verbose_name_plural": "search entries"},
        ),
        migrations.RunPython(create_index, drop_index),
    ]
