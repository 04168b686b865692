"""Retention: `manage.py purge_conversations --older-than 90d`, every night for example."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandParser
from django.db import connection
from django.db.models.functions import Now

from conversations.commands.arguments import duration
from conversations.commands.base import OperatorCommand, user_named
from conversations.commands.erasing import erase_all
from conversations.models import Conversation
from conversations.models.conversation import ConversationQuerySet


class Command(OperatorCommand):
    help = (
        "Erases for good the conversations in which nothing was said for so long. It works in small steps beside a "
        "running server, and can be stopped at any time; what is left goes the next time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--older-than", type=duration, required=True, metavar="AGE", help="90d, 12h or 30m")
        parser.add_argument("--archived", action="store_true", help="only those that were archived")
        parser.add_argument("--owner", metavar="NAME", help="only those of this user")
        parser.add_argument("--dry-run", action="store_true", help="say how many there are, and erase none")

    def handle(self, *args: Any, older_than: timedelta, dry_run: bool, **options: Any) -> None:
        rows = _older_than(older_than)
        if options["archived"]:
            rows = rows.filter(archived=True)
        if options["owner"] is not None:
            rows = rows.owned_by(user_named(options["owner"]).pk)
        count = rows.count()
        if dry_run:
            self.stdout.write(f"{count:,} conversations would be erased.")
            return
        with self.progress("Conversations erased", count) as progress:
            erase_all(rows, progress)
        self.stdout.write(f"{progress.done:,} conversations erased.")
        if connection.vendor == "sqlite" and progress.done:
            self.stdout.write(
                "Their space in the file is used again; VACUUM would give it back, and stops all writers."
            )


def _older_than(age: timedelta) -> ConversationQuerySet:
    """By the database's clock, which is the one that last activity is told by."""
    return Conversation.objects.filter(last_activity_at__lt=Now() - age)
