from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from conversations.generations.reaper import STALE, end_unanswered_cancels, recover
from conversations.store.recovery import sweep


class Command(BaseCommand):
    help = (
        "Mark the replies that dead workers left behind as interrupted, with the text that was stored. Running "
        "servers do this by themselves; use this where none runs. A worker of another host counts as dead once the "
        f"database has not heard of it for {STALE.total_seconds():.0f} seconds."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--this-host-only",
            action="store_true",
            help="leave workers of other hosts alone, however long they have been silent",
        )

    def handle(self, *args: Any, this_host_only: bool = False, **options: Any) -> None:
        ended = recover(silence=None if this_host_only else STALE)
        ended += end_unanswered_cancels()
        sweep()
        self.stdout.write(f"{ended} {'reply' if ended == 1 else 'replies'} ended.")
