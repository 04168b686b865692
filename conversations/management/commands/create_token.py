"""A bearer token for a user, who is created where needed: `manage.py create_token NAME`."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from knox.models import AuthToken

from conversations.commands.arguments import duration_or_never
from conversations.models import User


class Command(BaseCommand):
    help = "Prints a new bearer token of a user and nothing else. It cannot be shown again: only its hash is kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the user's name; a user of that name is created where there is none")
        parser.add_argument(
            "--expires-in", type=duration_or_never, default="90d", help="90d (default), 12h, 30m, or never"
        )
        parser.add_argument("--revoke", action="store_true", help="take back all tokens of the user, and make none")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["revoke"]:
            self.stderr.write(f"Tokens revoked: {_revoke(options['name'])}", style_func=str)  # no error
            return
        with transaction.atomic():
            user = _user(options["name"])
            _, token = AuthToken.objects.create(user=user, expiry=options["expires_in"])
        self.stdout.write(token)


def _user(name: str) -> User:
    """The active user of that name. A new one has no password: the token is the only way in."""
    user = User.objects.filter(username=name).first()
    if user is None:
        user = User(username=name)
        user.set_unusable_password()
        try:
            user.full_clean()
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        user.save()
    if not user.is_active:
        raise CommandError(f"The user {name} is not active")
    return user


def _revoke(name: str) -> int:
    if not User.objects.filter(username=name).exists():
        raise CommandError(f"There is no user {name}")
    return AuthToken.objects.filter(user__username=name).delete()[0]
