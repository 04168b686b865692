from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from conversations.models import Conversation, Message, User
from tests.conversations.commands.running import run
from tests.conversations.stored import converse

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def stored() -> None:
    """One conversation of each age in days, which is its id."""
    for days in (1, 89, 91, 400):
        converse(("Hello", "Hi"), conversation_id=str(days))
        aged = Conversation.objects.filter(public_id=str(days))
        aged.update(last_activity_at=timezone.now() - timedelta(days=days), archived=days == 400)


def left() -> list[str]:
    return list(Conversation.objects.order_by("pk").values_list("public_id", flat=True))


def test_it_erases_what_is_older() -> None:
    run("purge_conversations", "--older-than", "90d")
    assert left() == ["1", "89"]


def test_it_erases_what_was_said_there() -> None:
    run("purge_conversations", "--older-than", "90d")
    assert Message.objects.count() == 4


def test_it_only_says_what_it_would_erase() -> None:
    ran = run("purge_conversations", "--older-than", "90d", "--dry-run")
    assert (ran.out, left()) == ("2 conversations would be erased.\n", ["1", "89", "91", "400"])


def test_it_erases_only_what_was_archived() -> None:
    run("purge_conversations", "--older-than", "1h", "--archived")
    assert left() == ["1", "89", "91"]


def test_it_erases_only_what_is_a_users() -> None:
    ada = User.objects.create_user("ada")
    Conversation.objects.filter(public_id="91").update(owner=ada)
    run("purge_conversations", "--older-than", "1h", "--owner", "ada")
    assert left() == ["1", "89", "400"]


def test_it_takes_many_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conversations.commands.erasing.KEYS_AT_ONCE", 1)
    run("purge_conversations", "--older-than", "1h")
    assert left() == []


def test_it_forgets_what_the_admins_log_says(django_user_model: type[User]) -> None:
    admin = django_user_model.objects.create_superuser("root")
    of_conversations = ContentType.objects.get_for_model(Conversation)
    for row in Conversation.objects.all():
        LogEntry.objects.create(
            user=admin,
            content_type=of_conversations,
            object_id=str(row.pk),
            object_repr=row.public_id,
            action_flag=DELETION,
        )
    run("purge_conversations", "--older-than", "90d")
    assert set(LogEntry.objects.values_list("object_repr", flat=True)) == {"1", "89"}


@pytest.mark.parametrize("arguments", [[], ["--older-than=0d"], ["--older-than=soon"], ["--older-than=90"]])
def test_it_erases_nothing_without_an_age(arguments: list[str]) -> None:
    assert run("purge_conversations", *arguments).error
    assert len(left()) == 4
