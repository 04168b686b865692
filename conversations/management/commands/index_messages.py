"""What was stored before there was a search index: `manage.py index_messages`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandParser

from conversations.commands.base import OperatorCommand
from conversations.commands.erasing import PAUSE
from conversations.models import Conversation, Message
from conversations.store.unindexed import Step, index_after, messages_after, titles_after

AT_ONCE = 200


class Command(OperatorCommand):
    help = (
        "Puts messages and titles into the search index that are not in it: those stored before there was one, or "
        "written into the database by other means. What is said from now on gets there by itself. It works in small "
        "steps beside a running server, can be stopped at any time, and changes nothing the second time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say how many are missing, and index none")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        messages = self._walk("Messages", Message.objects.count(), messages_after, dry_run)
        titles = self._walk("Conversations", Conversation.objects.count(), titles_after, dry_run)
        done = "would be indexed" if dry_run else "indexed"
        self.stdout.write(f"{messages:,} messages and {titles:,} titles {done}.")

    def _walk(self, what: str, total: int, step: Callable[[int, int], Step], dry_run: bool) -> int:
        """How many were missing. total: about how many there are to look at"""
        missing, key = 0, 0
        with self.progress(f"{what} looked at", total) as progress:
            while (found := step(key, AT_ONCE) if dry_run else index_after(step, key, AT_ONCE)).looked_at:
                missing, key = missing + len(found.missing), found.last
                progress.advance(found.looked_at)
                if found.missing and not dry_run:
                    time.sleep(PAUSE)
        return missing
