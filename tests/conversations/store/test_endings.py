from __future__ import annotations

from typing import Any

import pytest

from conversations.models import Attempt, Conversation, Generation, JournalEntry, Message, Status
from conversations.store.endings import Tried
from conversations.store.reading import context_of
from tests.conversations.stored import a_turn, assistant, converse, end, shown, start, state_of, states, user

pytestmark = pytest.mark.django_db


def reply() -> Message:
    return Message.objects.get(role="assistant")


def test_it_folds_the_text_into_the_message() -> None:
    begun = start(a_turn("a"))
    JournalEntry.objects.create(message_id=begun.message_pk, position=0, text="A")
    end(begun, "A")
    assert (reply().content, JournalEntry.objects.count()) == ("A", 0)


def test_it_leaves_the_journal_of_others_alone() -> None:
    begun, other = start(a_turn("a")), start(a_turn("x", conversation_id="session-2"))
    JournalEntry.objects.create(message_id=other.message_pk, position=0, text="X")
    end(begun, "A")
    assert JournalEntry.objects.get().message_id == other.message_pk


@pytest.mark.parametrize("status", [status for status in Status.values if status != "streaming"])
def test_it_notes_how_the_reply_ended(status: str) -> None:
    end(start(a_turn("a")), "A", status)
    assert (reply().status, Conversation.objects.get().last_status) == (status, status)


def test_it_notes_what_is_known_of_the_reply() -> None:
    known: dict[str, Any] = {
        "provider": "gpt",
        "model": "gpt-4o",
        "finish_reason": "stop",
        "error": "",
        "input_tokens": 12,
        "output_tokens": 34,
        "usage_estimated": True,
        "time_to_first_token_ms": 56,
        "duration_ms": 78,
    }
    end(start(a_turn("a")), "A", **known)
    assert {name: getattr(reply(), name) for name in known} == known


def test_it_writes_the_attempts() -> None:
    tried = [Tried("gpt", "gpt-4o", "timeout", None, "slow", 15000), Tried("gpt", "mini", "complete", 200, "", 900)]
    end(start(a_turn("a")), "A", attempts=tried)
    rows = Attempt.objects.order_by("pk").values_list("model", "outcome", "http_status", "error", "duration_ms")
    assert list(rows) == [("gpt-4o", "timeout", None, "slow", 15000), ("mini", "complete", 200, "", 900)]


def test_the_reply_is_under_way_no_more() -> None:
    end(start(a_turn("a")), "A")
    assert not Generation.objects.exists()


def test_a_reply_without_text_is_not_shown() -> None:
    end(start(a_turn("a")), status="failed")
    assert shown() == ["a"]


def test_a_reply_without_text_does_not_count() -> None:
    end(start(a_turn("a")), status="failed")
    assert Conversation.objects.get().message_count == 1


def test_a_partial_reply_stays() -> None:
    end(start(a_turn("a")), "par", "failed")
    assert shown() == ["a", "> par"]


def test_what_follows_a_partial_reply_sends_it_along() -> None:
    end(start(a_turn("a")), "par", "interrupted")
    assert start(a_turn("b")).messages == [user("a"), assistant("par"), user("b")]


def test_what_follows_a_reply_without_text_sends_both_questions() -> None:
    end(start(a_turn("a")), status="failed")
    assert start(a_turn("b")).messages == [user("a"), user("b")]


def test_an_end_is_written_once() -> None:
    begun = start(a_turn("a"))
    end(begun, "A", "cancelled", input_tokens=1, output_tokens=1)
    end(begun, "A and more", "complete", input_tokens=1, output_tokens=1)
    row = Conversation.objects.get()
    assert (reply().content, reply().status, row.input_tokens, row.message_count) == ("A", "cancelled", 1, 2)


def test_the_end_of_a_message_that_is_gone_changes_nothing() -> None:
    begun = start(a_turn("a"))
    Conversation.objects.all().delete()
    end(begun, "A", attempts=[Tried("gpt", "gpt-4o", "complete", 200, "", 1)])
    assert (Message.objects.count(), Attempt.objects.count()) == (0, 0)


# -- the conversation's own columns


def test_it_adds_up_tokens() -> None:
    end(start(a_turn("a")), "A", input_tokens=1, output_tokens=20)
    end(start(a_turn("b")), "B", input_tokens=300, output_tokens=4000)
    end(start(a_turn("c")), "C")
    row = Conversation.objects.get()
    assert (row.input_tokens, row.output_tokens) == (301, 4020)


def test_it_notes_who_answered_last() -> None:
    end(start(a_turn("a")), "A", provider="gpt", model="gpt-4o")
    end(start(a_turn("b")), "B", provider="claude", model="claude-x")
    row = Conversation.objects.get()
    assert (row.last_provider, row.last_model) == ("claude", "claude-x")


def test_who_answered_last_stays_when_nobody_answers() -> None:
    end(start(a_turn("a")), "A", provider="gpt", model="gpt-4o")
    end(start(a_turn("b")), status="failed")
    assert Conversation.objects.get().last_model == "gpt-4o"


def test_while_another_turn_waits_the_conversation_streams() -> None:
    first = start(a_turn("a"))
    start(a_turn("b"))
    end(first, "A")
    assert Conversation.objects.get().last_status == "streaming"


# -- the next turn's go


def test_the_next_turn_gets_its_go() -> None:
    first, second = start(a_turn("a")), start(a_turn("b"))
    end(first, "A")
    assert state_of(second) == "running"


def test_first_come_is_first_served() -> None:
    replies = [start(a_turn(text)) for text in ("a", "b", "c")]
    end(replies[0], "A")
    assert states(replies) == ["ended", "running", "waiting"]


def test_a_waiting_turn_that_ends_gives_nobody_a_go() -> None:
    replies = [start(a_turn(text)) for text in ("a", "b", "c")]
    end(replies[1], status="cancelled")
    assert states(replies) == ["running", "ended", "waiting"]


def test_a_turn_that_waited_sends_what_was_answered_meanwhile() -> None:
    first, second = start(a_turn("a")), start(a_turn("b"))
    end(first, "A")
    assert context_of(second.message_pk) == [user("a"), assistant("A"), user("b")]


def test_a_turn_that_waited_for_a_reply_without_text_sends_both_questions() -> None:
    first, second = start(a_turn("a")), start(a_turn("b"))
    end(first, status="failed")
    assert context_of(second.message_pk) == [user("a"), user("b")]


def test_a_turn_that_waited_sends_the_newest_50_messages() -> None:
    converse(*((f"q{number}", f"r{number}") for number in range(30)))
    first, second = start(a_turn("a")), start(a_turn("b"))
    end(first, "A")
    context = context_of(second.message_pk)
    assert (len(context), context[0].role, context[-1]) == (49, "user", user("b"))


def test_a_turn_that_waited_for_many_without_text_sends_all_questions() -> None:
    replies = [start(a_turn(f"q{number}")) for number in range(20)]
    for begun in replies[:-1]:
        end(begun, status="cancelled")
    assert context_of(replies[-1].message_pk) == [user(f"q{number}") for number in range(20)]


def test_a_turn_that_interrupts_goes_first() -> None:
    first, waiting = start(a_turn("a")), start(a_turn("b"))
    third = start(a_turn("c", on_busy="interrupt"))
    end(first, "par", "cancelled")
    assert states([waiting, third]) == ["waiting", "running"]


def test_what_is_to_be_cancelled_gets_no_go() -> None:
    first, waiting = start(a_turn("a")), start(a_turn("b"))
    Generation.objects.filter(pk=waiting.message_pk).update(cancel_requested_at=waiting_since())
    end(first, "A")
    assert state_of(waiting) == "waiting"


def test_what_came_after_a_cancelled_turn_gets_its_go_when_that_ends() -> None:
    first, waiting = start(a_turn("a")), start(a_turn("b"))
    Generation.objects.filter(pk=waiting.message_pk).update(cancel_requested_at=waiting_since())
    end(first, "A")
    last = start(a_turn("c"))
    end(waiting, status="cancelled")
    assert state_of(last) == "running"


def waiting_since() -> object:
    return Conversation.objects.get().created_at
