"""An index over the few replies that are to be cancelled, for those who look whether their workers did so."""

from __future__ import annotations

from django.db import migrations, models

from conversations.migrations._beside_writers import AddIndexBesideWriters


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("conversations", "0003_narrowing")]

    operations = [
        AddIndexBesideWriters(
            model_name="generation",
            index=models.Index(
                fields=["cancel_requested_at"],
                condition=models.Q(cancel_requested_at__isnull=False),
                name="generation_to_cancel",
            ),
        ),
    ]
