"""How every command behaves at a shell: errors in a line, a pipe that closes, Ctrl-C."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, InterfaceError, OperationalError, ProgrammingError

from conversations.commands.progress import Progress
from conversations.models import User

INTERRUPTED = 130
"""The exit code of a program that Ctrl-C ended, as shells have it."""


class OperatorCommand(BaseCommand):
    """Exit codes: 0 done, 1 not done, and the reason on stderr, 2 wrong arguments, 130 ended by Ctrl-C."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except (OperationalError, InterfaceError, ProgrammingError) as error:
            raise CommandError(_told(error)) from error
        except BrokenPipeError:  # whoever read what we wrote has had enough, `head` for example
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(0) from None
        except KeyboardInterrupt:
            self.stderr.write("Stopped.")
            raise SystemExit(INTERRUPTED) from None

    def progress(self, what: str, total: int | None = None) -> Progress:
        """A bar on a terminal, else a line now and then; on stderr, so that stdout holds results alone."""
        return Progress(self.stderr, what, total)

    def confirm(self, question: str, *, yes: bool) -> None:
        """Go on only where a person agrees. Raises CommandError; also where there is nobody to ask."""
        if yes:
            return
        if not sys.stdin.isatty():
            raise CommandError(
                "Nobody is there to confirm it: say --yes to do it, or --dry-run to see what it would do."
            )
        if input(f"{question} [y/N] ").strip().lower() not in ("y", "yes"):
            raise CommandError("Nothing was changed.")


def user_named(name: str) -> User:
    """Raises CommandError where there is none."""
    user = User.objects.filter(username=name).first()
    if user is None:
        raise CommandError(f"There is no user {name}.")
    return user


def _told(error: DatabaseError | InterfaceError) -> str:
    reason = next(iter(str(error).splitlines()), type(error).__name__)
    if isinstance(error, ProgrammingError) or "no such table" in reason:
        return f"The database is not up to date: run `manage.py migrate` ({reason})."
    return f"The database cannot be used (DATABASE_URL): {reason}."
