"""Conversations to look at, or a million of them to measure with: `manage.py seed_demo`."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandParser

from conversations.commands import demo
from conversations.commands.base import OperatorCommand
from conversations.commands.filler import Filler
from conversations.models import User
from conversations.store import seeding

USUAL_LENGTH = 10
AT_ONCE = 2_000
"""Messages of one transaction."""


class Command(OperatorCommand):
    help = (
        "Writes a handful of readable conversations. With --messages it writes that many more in invented ones, with "
        "branches, outcomes, models, usage per day and the search index, as they would have come about over the last "
        "90 days. Running it again adds more."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--messages", type=_count, default=0, metavar="N", help="so many invented messages")
        parser.add_argument(
            "--conversations",
            type=_count,
            metavar="N",
            help=f"in so many conversations; by default in ones of {USUAL_LENGTH} messages",
        )
        parser.add_argument(
            "--owner", metavar="NAME", help="whose they are, created where needed; nobody's by default, as in open mode"
        )
        parser.add_argument("--seed", type=int, default=0, help="another number makes other conversations")

    def handle(
        self, *args: Any, messages: int, conversations: int | None, owner: str | None, seed: int, **options: Any
    ) -> None:
        owner_id = None if owner is None else _user(owner).pk
        now = datetime.now(UTC)
        if not messages:
            seeded, usage = demo.conversations(owner_id, now)
            seeding.write(seeded, usage)
            for each in seeded:
                self.stdout.write(f"{each.conversation.public_id}  {each.conversation.title}")
            return
        filler = Filler(owner_id, now, seed=seed)
        with self.progress("Messages", messages) as progress:
            for lengths in _batches(messages, conversations or max(1, messages // USUAL_LENGTH)):
                rows = [filler.conversation(length) for length in lengths]
                counted, filler.usage = filler.usage, {}
                seeding.write(rows, counted)
                progress.advance(sum(lengths))


def _batches(messages: int, conversations: int) -> Iterator[list[int]]:
    """Lengths of conversations, as even as can be, in lists of about `AT_ONCE` messages."""
    batch: list[int] = []
    for at in range(min(messages, conversations)):
        batch.append(messages * (at + 1) // conversations - messages * at // conversations)
        if sum(batch) >= AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _count(text: str) -> int:
    plain = text.replace("_", "").replace(",", "")
    if not plain.isdecimal() or not 0 < int(plain) <= 100_000_000:
        raise ArgumentTypeError(f"{text!r} is not a number from 1 to 100,000,000")
    return int(plain)


def _user(name: str) -> User:
    user, new = User.objects.get_or_create(username=name)
    if new:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user
