"""A person's right to be forgotten: `manage.py erase_owner NAME`."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.management.base import CommandParser
from django.db import transaction
from django.utils import timezone
from knox.models import AuthToken

from conversations.commands.base import OperatorCommand, user_named
from conversations.commands.erasing import erase_all
from conversations.models import Conversation, User


class Command(OperatorCommand):
    help = (
        "Erases everything of a person for good: conversations, tokens, sessions, what the admin's log says of "
        "them, and the account. What was used per day stays as numbers, for the bill; they point to nobody any more."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the user's name")
        parser.add_argument(
            "--keep-account", action="store_true", help="erase what was said, and keep account and tokens"
        )
        parser.add_argument("--dry-run", action="store_true", help="say what there is, and erase nothing")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, name: str, keep_account: bool, dry_run: bool, yes: bool, **options: Any) -> None:
        user = user_named(name)
        rows = Conversation.objects.owned_by(user.pk)
        count = rows.count()
        account = "" if keep_account else f", {AuthToken.objects.filter(user=user).count():,} tokens and the account"
        if dry_run:
            self.stdout.write(f"{count:,} conversations{account} of {name} would be erased.")
            return
        self.confirm(f"Erase {count:,} conversations{account} of {name} for good?", yes=yes)
        if not keep_account:
            _lock_out(user)  # first, so that nothing new is said meanwhile
        with self.progress("Conversations erased", count) as progress:
            erase_all(rows, progress)
        if not keep_account:
            _erase_account(user)
        self.stdout.write(f"{progress.done:,} conversations{account} of {name} erased.")


def _lock_out(user: User) -> None:
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(is_active=False)
        AuthToken.objects.filter(user=user).delete()
    for session in Session.objects.filter(expire_date__gt=timezone.now()).iterator():
        if session.get_decoded().get("_auth_user_id") == str(user.pk):
            session.delete()


@transaction.atomic
def _erase_account(user: User) -> None:
    of_users = ContentType.objects.get_for_model(User)
    LogEntry.objects.filter(content_type=of_users, object_id=str(user.pk)).delete()
    user.delete()
