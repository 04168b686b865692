from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.utils import timezone

from conversations.models import Conversation, JournalEntry, Message, User
from conversations.store import changing, erasing
from conversations.store.endings import Tried
from tests.conversations.commands.running import run
from tests.conversations.stored import a_claim, a_turn, converse, end, everything, start

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


def test_nothing_of_it_is_left() -> None:
    before = everything()
    begun = start(a_turn("An old question", conversation_id="old", claim=a_claim()))
    end(begun, "Hi", attempts=[Tried("gpt", "gpt-4o", "complete", None, "", 5)])
    under_way = start(a_turn("Another", conversation_id="old"))
    JournalEntry.objects.create(message_id=under_way.message_pk, position=0, text="so far")
    changing.change(None, "old", {"title": "Chosen"})
    Conversation.objects.filter(public_id="old").update(last_activity_at=timezone.now() - timedelta(days=500))
    run("purge_conversations", "--older-than", "450d")
    assert everything() == before


def test_no_statement_deletes_more_than_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "BATCH", 4)
    converse(*[(f"Q{number}", f"A{number}") for number in range(10)], conversation_id="400")
    Conversation.objects.filter(public_id="400").update(last_activity_at=timezone.now() - timedelta(days=400))
    deleted: list[int] = []

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if sql.startswith("DELETE"):
            deleted.append(context["cursor"].rowcount)
        return result

    with connection.execute_wrapper(watch):
        run("purge_conversations", "--older-than", "399d")
    assert left() == ["1", "89", "91"]
    assert (max(deleted), sum(deleted) >= 22) == (4, True)


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
