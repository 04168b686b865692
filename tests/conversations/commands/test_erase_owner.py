from __future__ import annotations

import io

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from knox.models import AuthToken

from conversations.models import Conversation, DailyUsage, Message, User
from tests.conversations.commands.running import run
from tests.conversations.stored import a_turn, converse, end, start

pytestmark = pytest.mark.django_db


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def ada() -> User:
    """Three people's conversations: hers, another's, and nobody's."""
    people = [User.objects.create_user(name) for name in ("ada", "grace")]
    for person in people:
        end(start(a_turn("Hello", conversation_id=person.username, owner_id=person.pk)), "Hi")
        AuthToken.objects.create(user=person)
        Client().force_login(person)
    converse(("Hello", "Hi"), conversation_id="nobody")
    return people[0]


def left() -> set[str]:
    return set(Conversation.objects.values_list("public_id", flat=True))


def test_it_erases_the_persons_conversations() -> None:
    run("erase_owner", "ada", "--yes")
    assert left() == {"grace", "nobody"}


def test_it_erases_what_the_person_said() -> None:
    run("erase_owner", "ada", "--yes")
    assert Message.objects.count() == 4


def test_it_erases_account_tokens_and_sessions() -> None:
    run("erase_owner", "ada", "--yes")
    assert [model.objects.count() for model in (User, AuthToken, Session)] == [1, 1, 1]


def test_it_keeps_the_account_when_told(ada: User) -> None:
    run("erase_owner", "ada", "--yes", "--keep-account")
    assert (left(), AuthToken.objects.filter(user=ada).count()) == ({"grace", "nobody"}, 1)


def test_it_keeps_the_sums_for_the_bill(ada: User) -> None:
    DailyUsage.objects.create(day="2026-01-05", owner_id=ada.pk, provider="gpt", model="gpt-4o", requests=3)
    run("erase_owner", "ada", "--yes")
    assert DailyUsage.objects.get().requests == 3


def test_it_only_says_what_it_would_erase() -> None:
    ran = run("erase_owner", "ada", "--dry-run")
    assert (ran.out, len(left())) == ("1 conversations, 1 tokens and the account of ada would be erased.\n", 3)


def test_it_asks_nobody_who_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert (run("erase_owner", "ada").code, len(left())) == (1, 3)


@pytest.mark.parametrize(("answer", "count"), [("y\n", 2), ("n\n", 3), ("\n", 3)])
def test_it_asks_before_it_erases(monkeypatch: pytest.MonkeyPatch, answer: str, count: int) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    run("erase_owner", "ada")
    assert len(left()) == count


def test_it_knows_no_stranger() -> None:
    assert run("erase_owner", "nobody", "--yes").error == "There is no user nobody."
