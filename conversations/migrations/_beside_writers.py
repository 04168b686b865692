"""What a migration may do to a large table while a server writes to it."""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


class AddIndexBesideWriters(migrations.AddIndex):
    """On Postgres without keeping writers out while it is built; SQLite knows no such thing."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        options = {"concurrently": True} if schema_editor.connection.vendor == "postgresql" else {}
        model = to_state.apps.get_model(app_label, self.model_name)
        schema_editor.add_index(model, self.index, **options)
