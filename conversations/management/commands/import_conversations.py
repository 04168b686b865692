"""Conversations from a file: `manage.py import_conversations all.jsonl`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from conversations.commands import importing
from conversations.commands.base import OperatorCommand, user_named
from conversations.commands.foreign import ForeignConversation, UnreadableError
from conversations.commands.importing import Source
from conversations.store.users import user_on_first_sight


class Command(OperatorCommand):
    help = (
        "Reads conversations from what export_conversations or the API's export wrote, or from ChatGPT's data export "
        "(its conversations.json, or the archive that holds it), with all branches. What is there already stays as "
        "it is, so that running it twice changes nothing. What cannot be read is named and left out; exit code 1 then."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        whose = parser.add_mutually_exclusive_group()
        whose.add_argument("--owner", metavar="NAME", help="whose they become; by default whose the file says they are")
        whose.add_argument("--without-owner", action="store_true", help="let them be nobody's, as in open mode")
        parser.add_argument("--dry-run", action="store_true", help="read everything, write nothing")

    def handle(self, *args: Any, file: Path, owner: str | None, without_owner: bool, **options: Any) -> None:
        self._owner_id = user_named(owner).pk if owner is not None else None
        self._by_file = owner is None and not without_owner
        self._dry_run = options["dry_run"]
        source = Source(file)
        new = known = broken = 0
        with self.progress("Conversations read", source.total) as progress:
            for number, text in source:
                try:
                    stored = self._take(source.read(text))
                except UnreadableError as error:
                    broken += 1
                    self.stderr.write(f"Conversation {number} of {file}: {error}")
                else:
                    new, known = new + stored, known + (not stored)
                progress.advance()
        self.stdout.write(
            f"{'Would import' if self._dry_run else 'Imported'} {new}, there already {known}, unreadable {broken}."
        )
        if broken:
            raise CommandError(f"{broken} could not be read.")

    def _take(self, told: ForeignConversation) -> bool:
        """Whether it is new."""
        named = self._by_file and told.owner is not None
        if self._dry_run:
            return named or not importing.exists(told, self._owner_id)
        return importing.store(told, user_on_first_sight(str(told.owner))[0] if named else self._owner_id)
