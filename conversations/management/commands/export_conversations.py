"""Conversations to keep or to move: `manage.py export_conversations --output all.jsonl`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from conversations.commands import exporting
from conversations.commands.base import OperatorCommand, user_named
from conversations.commands.writing import STDOUT, written
from conversations.models import Conversation
from conversations.models.conversation import ConversationQuerySet


class Command(OperatorCommand):
    help = (
        "Writes conversations with all their branches, one a line (JSON Lines), as import_conversations reads them. "
        "All of them, unless some are named. The server may go on meanwhile."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("conversations", nargs="*", metavar="ID", help="only these")
        parser.add_argument("--output", "-o", default=STDOUT, metavar="FILE", help="where to; by default to stdout")
        whose = parser.add_mutually_exclusive_group()
        whose.add_argument("--owner", metavar="NAME", help="only those of this user")
        whose.add_argument("--without-owner", action="store_true", help="only those of open mode, which have no owner")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = _chosen(options)
        with (
            written(options["output"], self.stdout) as write,
            self.progress("Conversations exported", rows.count()) as progress,
        ):
            for conversation in exporting.in_steps(rows):
                for piece in exporting.line(conversation):
                    write(piece)
                progress.advance()


def _chosen(options: dict[str, Any]) -> ConversationQuerySet:
    rows = Conversation.objects.all()
    if options["owner"] is not None:
        rows = rows.owned_by(user_named(options["owner"]).pk)
    elif options["without_owner"]:
        rows = rows.owned_by(None)
    return rows.filter(public_id__in=options["conversations"]) if options["conversations"] else rows
