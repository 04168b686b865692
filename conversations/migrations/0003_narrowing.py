"""Indexes for those who look after conversations; nearly all of them over few rows only."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

TROUBLED = ["cancelled", "failed", "interrupted"]


class AddIndexBesideWriters(migrations.AddIndex):
    """On Postgres without keeping writers out while it is built; SQLite knows no such thing."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        options = {"concurrently": True} if schema_editor.connection.vendor == "postgresql" else {}
        model = to_state.apps.get_model(app_label, self.model_name)
        schema_editor.add_index(model, self.index, **options)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("conversations", "0002_search")]

    operations = [
        AddIndexBesideWriters(
            model_name="message",
            index=models.Index(
                fields=["conversation", "provider", "model", "input_tokens", "output_tokens"],
                condition=~models.Q(model=""),
                name="message_spending",
            ),
        ),
        AddIndexBesideWriters(
            model_name="message",
            index=models.Index(
                fields=["status", "-id"], condition=models.Q(status__in=TROUBLED), name="message_troubled"
            ),
        ),
        AddIndexBesideWriters(
            model_name="message",
            index=models.Index(
                fields=["feedback_rating", "-id"], condition=~models.Q(feedback_rating=""), name="message_rated"
            ),
        ),
        AddIndexBesideWriters(
            model_name="conversation", index=models.Index(fields=["public_id"], name="conversation_by_id")
        ),
        AddIndexBesideWriters(
            model_name="conversation",
            index=models.Index(
                fields=["last_status", "-last_activity_at", "-id"],
                condition=models.Q(last_status__in=TROUBLED),
                name="conversation_troubled",
            ),
        ),
    ]
