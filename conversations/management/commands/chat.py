"""Talk in the terminal: `manage.py chat --provider claude`."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from conversations.api.bodies import MAX_LENGTH
from conversations.commands.base import OperatorCommand, user_named
from conversations.commands.foreign import cleaned
from conversations.commands.talking import Talk
from conversations.generations.buffer import Ending
from conversations.generations.generation import Generation
from conversations.models import Status
from conversations.refusals import NotThere, TurnRefused
from conversations.store import histories
from providers import registry

SHOWN_AGAIN = 6
"""Messages shown of a conversation that goes on."""

COMMANDS_TO_TERMINALS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""What a reply could move the cursor or change the title with."""


class Command(OperatorCommand):
    help = (
        "Talk to a model in the terminal. What is said is stored like any conversation; an id goes on with one. Ctrl-C "
        "stops a reply and keeps its text so far, Ctrl-D leaves. Without a terminal every line of stdin is a message, "
        "and the replies alone are written to stdout; exit code 1 where one failed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("conversation", nargs="?", metavar="ID", help="go on with this conversation")
        parser.add_argument("--provider", choices=registry.names(), help=f"by default {settings.DEFAULT_PROVIDER}")
        parser.add_argument("--user", metavar="NAME", help="whose conversation it is; needed with AUTH_MODE=required")

    def handle(self, *args: Any, conversation: str | None, **options: Any) -> None:
        if settings.AUTH_MODE == "required" and options["user"] is None:
            raise CommandError("Every conversation has an owner here (AUTH_MODE=required): say --user NAME.")
        owner_id = user_named(options["user"]).pk if options["user"] is not None else None
        self._terminal = sys.stdin.isatty() and self.stdout.isatty()
        if options["verbosity"] < 2:
            logging.disable(logging.CRITICAL)  # log lines would stand in the middle of replies
        try:
            if conversation is not None:
                self._show_again(owner_id, conversation)
            with Talk(owner_id, conversation, options["provider"]) as talk:
                failed = self._converse(talk)
        finally:
            logging.disable(logging.NOTSET)
        if failed:
            raise CommandError("The last reply failed." if self._terminal else "A reply failed.")

    def _converse(self, talk: Talk) -> bool:
        """Turn by turn until nothing more is said. Whether a reply failed; on a terminal, the last one."""
        failed = False
        self._aside("Ctrl-C stops a reply, Ctrl-D leaves.")
        for text in self._said():
            if len(text) > MAX_LENGTH:
                self.stderr.write(f"A message has at most {MAX_LENGTH} characters.")
                failed = True
                continue
            good = self._turn(talk, text)
            failed = not good or (failed and not self._terminal)
        if talk.conversation_id is not None:
            self._aside(f"Go on with: manage.py chat {talk.conversation_id}")
        return failed

    def _turn(self, talk: Talk, text: str) -> bool:
        try:
            generation, ending = talk.say(text, self._write)
        except (TurnRefused, DatabaseError) as error:
            self.stderr.write(str(error))
            return False
        self.stdout.write("")
        if ending.status not in (Status.COMPLETE, Status.CANCELLED):
            self.stderr.write(ending.error)
        self._aside(_facts(generation, ending))
        return ending.status in (Status.COMPLETE, Status.CANCELLED)

    def _said(self) -> Iterator[str]:
        """What a person says, or the lines of stdin; blank ones are skipped."""
        if not self._terminal:
            yield from (text for line in sys.stdin if (text := cleaned(line.rstrip("\n"))).strip())
            return
        with suppress(ImportError):
            import readline  # noqa: F401, PLC0415  (lets a line be edited; not everywhere)
        while True:
            try:
                text = cleaned(input("\n> "))
            except KeyboardInterrupt:
                self._aside("\nCtrl-D leaves the conversation.")
            except EOFError:
                self.stdout.write("")
                return
            else:
                if text.strip():
                    yield text

    def _show_again(self, owner_id: int | None, conversation: str) -> None:
        try:
            page = histories.page(owner_id, conversation, SHOWN_AGAIN, None)
        except NotThere as error:
            raise CommandError(str(error)) from error
        if self._terminal:
            for message in page.messages:
                self._write(f"\n> {message.content}\n" if message.role == "user" else f"{message.content}\n")

    def _write(self, text: str) -> None:
        self.stdout.write(COMMANDS_TO_TERMINALS.sub("", text) if self._terminal else text, ending="")
        self.stdout.flush()

    def _aside(self, text: str) -> None:
        """Something beside the conversation, for a person."""
        if self._terminal and text:
            self.stdout.write(self.style.MIGRATE_HEADING(text))  # NOTICE is as red as an error


def _facts(generation: Generation, ending: Ending) -> str:
    """Who answered, what it took, and who should have."""
    attempts = generation.production.attempts
    facts = [generation.buffer.model, *(f"{each.model} did not ({each.outcome})" for each in attempts[:-1])]
    if ending.tally is not None:
        facts.append(f"{'about ' if ending.tally.estimated else ''}{ending.tally.output_tokens} tokens")
    facts.append("stopped" if ending.status == Status.CANCELLED else "")
    return " · ".join(fact for fact in facts if fact)
