"""A person's right to see what is kept: `manage.py export_owner NAME --output name.json`."""

from __future__ import annotations

from typing import Any

import msgspec
from django.core.management.base import CommandParser
from knox.models import AuthToken

from conversations.commands import exporting
from conversations.commands.base import OperatorCommand, user_named
from conversations.commands.writing import STDOUT, Write, written
from conversations.models import Conversation, DailyUsage, User


class Command(OperatorCommand):
    help = (
        "Writes all that is kept of a person as one JSON document: the account, the tokens (without the secrets, which "
        "are not kept), what was used per day, and every conversation in the shape of the API's export."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the user's name")
        parser.add_argument("--output", "-o", default=STDOUT, metavar="FILE", help="where to; by default to stdout")

    def handle(self, *args: Any, name: str, output: str, **options: Any) -> None:
        user = user_named(name)
        with written(output, self.stdout) as write:
            write(b'{"account":' + msgspec.json.encode(_account(user)))
            write(b',"tokens":' + msgspec.json.encode(_tokens(user)))
            write(b',"usage":' + msgspec.json.encode(_usage(user)))
            self._write_conversations(user, write)

    def _write_conversations(self, user: User, write: Write) -> None:
        rows, separator = Conversation.objects.owned_by(user.pk), b""
        write(b',"conversations":[\n')
        with self.progress("Conversations exported", rows.count()) as progress:
            for conversation in exporting.in_steps(rows):
                write(separator)
                for piece in exporting.line(conversation):
                    write(piece)
                separator = b","
                progress.advance()
        write(b"]}\n")


def _account(user: User) -> dict[str, Any]:
    told = ("username", "first_name", "last_name", "email", "is_active", "is_staff", "date_joined", "last_login")
    return {name: getattr(user, name) for name in told}


def _tokens(user: User) -> list[dict[str, Any]]:
    return list(AuthToken.objects.filter(user=user).order_by("created").values("created", "expiry"))


def _usage(user: User) -> list[dict[str, Any]]:
    told = ("day", "provider", "model", "requests", "input_tokens", "output_tokens", "errors", "fallbacks")
    return list(DailyUsage.objects.filter(owner_id=user.pk).order_by("day", "provider", "model").values(*told))
