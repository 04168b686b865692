"""`manage.py seed_demo`: conversations to look at and to measure with."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count, F, Sum

from conversations.formats import cost_of
from conversations.models import Attempt, Conversation, DailyUsage, Message, SearchEntry, Status, User
from conversations.store.listing import page
from conversations.store.search import rare
from tests.conversations.stored import a_turn, start

pytestmark = pytest.mark.django_db


def seed(*arguments: str) -> tuple[str, str]:
    out, errors = StringIO(), StringIO()
    call_command("seed_demo", *arguments, stdout=out, stderr=errors)
    return out.getvalue(), errors.getvalue()


def test_it_names_a_handful_of_conversations() -> None:
    lines = seed()[0].splitlines()
    assert [line.split("  ")[0] for line in lines] == list(
        Conversation.objects.order_by("pk").values_list("public_id", flat=True)
    )
    assert len(lines) == 5


def test_they_show_what_there_is_to_show() -> None:
    seed()
    statuses = set(Message.objects.values_list("status", flat=True))
    assert statuses >= {Status.COMPLETE, Status.CANCELLED, Status.FAILED}
    assert Message.objects.filter(active=False).exclude(content="").exists()
    assert set(Message.objects.values_list("feedback_rating", flat=True)) == {"", "up", "down"}


def test_they_are_the_owners() -> None:
    seed("--owner", "ada")
    owner = User.objects.get(username="ada")
    assert len(page(owner.pk, 20, archived=False, words=None, after=None).conversations) == 5


def test_it_writes_as_many_messages_as_asked() -> None:
    seed("--messages", "2500")
    assert (Message.objects.count(), Conversation.objects.count()) == (2500, 250)


def test_it_writes_as_many_conversations_as_asked() -> None:
    seed("--messages", "1_000", "--conversations", "7")
    assert (Message.objects.count(), Conversation.objects.count()) == (1000, 7)


def test_it_invents_branches_and_every_outcome() -> None:
    seed("--messages", "2000")
    assert set(Message.objects.values_list("status", flat=True)) == set(Status.values) - {Status.STREAMING}
    assert Message.objects.filter(role="assistant", active=False).exclude(content="").count() > 20
    assert Attempt.objects.values("message").distinct().count() == Message.objects.filter(role="assistant").count()


@pytest.mark.parametrize("arguments", [(), ("--messages", "1000")])
def test_some_are_answered_by_the_other_model(arguments: tuple[str, ...]) -> None:
    seed(*arguments)
    fallen_back = Message.objects.exclude(model="").annotate(tried=Count("attempts")).filter(tried=2)
    assert fallen_back.exists()
    assert DailyUsage.objects.aggregate(Sum("fallbacks"))["fallbacks__sum"] == fallen_back.count()


@pytest.mark.parametrize("arguments", [(), ("--messages", "1000")])
def test_no_model_is_named_where_none_answered(arguments: tuple[str, ...]) -> None:
    seed(*arguments)
    vain = Message.objects.filter(role="assistant", content="")
    assert vain.exists()
    assert not vain.exclude(model="").exists()


def test_it_invents_a_model_whose_price_is_not_known() -> None:
    seed("--messages", "2000")
    rows = DailyUsage.objects.exclude(model="")
    assert {cost_of(row) is None for row in rows} == {True, False}


def test_conversations_say_what_their_messages_do() -> None:
    seed("--messages", "1000")
    shown = Conversation.objects.exclude(messages__content="").annotate(
        written=Count("messages"), read=Sum("messages__input_tokens"), told=Sum("messages__output_tokens")
    )
    assert shown.exists()
    assert not shown.exclude(message_count=F("written"), input_tokens=F("read"), output_tokens=F("told")).exists()


def test_children_come_after_their_parents() -> None:
    seed("--messages", "1000")
    assert not Message.objects.filter(parent_id__gte=F("id")).exists()
    assert Message.objects.filter(parent=None).count() >= Conversation.objects.count()


@pytest.mark.parametrize("arguments", [(), ("--messages", "1000")])
def test_the_day_knows_what_was_used(arguments: tuple[str, ...]) -> None:
    seed(*arguments, "--owner", "ada")
    used = DailyUsage.objects.aggregate(Sum("requests"), Sum("output_tokens"))
    replies = Message.objects.filter(role="assistant")
    assert used == {
        "requests__sum": replies.count(),
        "output_tokens__sum": replies.aggregate(Sum("output_tokens"))["output_tokens__sum"],
    }


def test_what_it_says_can_be_searched() -> None:
    seed("--owner", "ada")
    assert len(rare(["postgresql"], User.objects.get().pk) or ()) == 1
    assert SearchEntry.objects.count() == Message.objects.exclude(content="").count()


def test_running_it_again_adds_more() -> None:
    for _ in range(2):
        seed("--messages", "100")
    assert Message.objects.count() == 200


def test_whoever_comes_after_it_gets_keys_of_his_own() -> None:
    seed("--messages", "100")
    begun = start(a_turn("Hello"))
    assert begun.message_pk == Message.objects.order_by("-pk").values_list("pk", flat=True)[0]


def test_it_tells_how_far_it_came() -> None:
    assert "Messages: 100 of 100" in seed("--messages", "100")[1]


@pytest.mark.parametrize("count", ["0", "-1", "x", "1e6", "999999999"])
def test_it_refuses_counts_that_are_none(count: str) -> None:
    with pytest.raises(CommandError):
        seed("--messages", count)
