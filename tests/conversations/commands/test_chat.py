from __future__ import annotations

import io

import pytest
from pytest_django import Settings

from conversations.models import Conversation, Message, User
from tests.conversations.commands.running import Ran, run
from tests.simulator import Simulator

pytestmark = pytest.mark.django_db(transaction=True)


def chat(monkeypatch: pytest.MonkeyPatch, given: str, *arguments: str) -> Ran:
    """The command with these lines on its stdin."""
    monkeypatch.setattr("sys.stdin", io.StringIO(given))
    return run("chat", *arguments)


def test_it_writes_replies_alone_into_a_pipe(monkeypatch: pytest.MonkeyPatch, simulator: Simulator) -> None:
    simulator.script("openai", text="Good day\n\x1b[31m")
    ran = chat(monkeypatch, "Hello\n")
    assert (ran.out, ran.err) == ("Good day\n\x1b[31m\n", "")


def test_it_takes_every_line_for_a_message(monkeypatch: pytest.MonkeyPatch, simulator: Simulator) -> None:
    chat(monkeypatch, "One\n\nTwo")
    assert list(Message.objects.filter(role="user").values_list("content", flat=True)) == ["One", "Two"]


def test_it_tells_the_model_what_was_said_before(monkeypatch: pytest.MonkeyPatch, simulator: Simulator) -> None:
    chat(monkeypatch, "One\nTwo\n")
    assert len(simulator.last("openai")["body"]["messages"]) == 4


def test_it_goes_on_with_a_conversation(monkeypatch: pytest.MonkeyPatch, simulator: Simulator) -> None:
    chat(monkeypatch, "One\n")
    chat(monkeypatch, "Two\n", Conversation.objects.get().public_id)
    assert Message.objects.count() == 4


def test_it_asks_the_provider_that_was_chosen(monkeypatch: pytest.MonkeyPatch, simulator: Simulator) -> None:
    chat(monkeypatch, "Hello\n", "--provider", "claude")
    assert len(simulator.chats("anthropic")) == 1


def test_it_fails_with_a_reply_that_fails(monkeypatch: pytest.MonkeyPatch, simulator: Simulator) -> None:
    simulator.script("openai", status=500)
    ran = chat(monkeypatch, "Hello\n", "--provider", "gpt")
    assert (ran.code, ran.out, "failed" in ran.err) == (1, "\n", True)


def test_it_refuses_a_message_that_is_too_long(monkeypatch: pytest.MonkeyPatch, simulator: Simulator) -> None:
    ran = chat(monkeypatch, "x" * 24_001)
    assert (ran.code, ran.err) == (1, "A message has at most 24000 characters.\n")


def test_it_knows_no_conversation_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    assert chat(monkeypatch, "Hello\n", "session-1").error == "This conversation does not exist."


def test_it_does_not_go_on_with_anothers(monkeypatch: pytest.MonkeyPatch) -> None:
    Conversation.objects.create(public_id="hers", owner=User.objects.create_user("ada"))
    assert chat(monkeypatch, "Hello\n", "hers").error == "This conversation does not exist."


def test_it_wants_an_owner_where_every_conversation_has_one(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.AUTH_MODE = "required"
    assert "say --user NAME" in chat(monkeypatch, "Hello\n").error


def test_it_gives_the_conversation_to_its_owner(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, simulator: Simulator
) -> None:
    settings.AUTH_MODE = "required"
    ada = User.objects.create_user("ada")
    chat(monkeypatch, "Hello\n", "--user", "ada")
    assert Conversation.objects.get().owner == ada
