"""What can be searched: the words of every message, and of titles that a person chose."""

from __future__ import annotations

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class WordsField(models.Field):  # type: ignore[type-arg]
    """On Postgres a `tsvector`; on SQLite the words themselves, each after a space. `store.indexing` writes both."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "tsvector" if connection.vendor == "postgresql" else "text"


class SearchEntry(models.Model):
    """Written once with its message. The full-text index over it (GIN, or FTS5 kept by triggers) has each word twice:

    alone, and together with the owner, so that what one owner finds costs nothing of what others wrote.
    """

    id = models.BigIntegerField(primary_key=True, help_text="A message's key, or minus a conversation's for its title")
    conversation_id = models.BigIntegerField(db_index=True)
    owner_id = models.BigIntegerField(null=True)
    words = WordsField()

    class Meta:
        verbose_name_plural = "search entries"

    def __str__(self) -> str:
        return str(self.pk)
