"""Indexes for those who look after conversations; nearly all of them over few rows only."""

from __future__ import annotations

from django.db import migrations, models

from conversations.migrations._beside_writers import AddIndexBesideWriters

TROUBLED = ["cancelled", "failed", "interrupted"]


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
