"""Regenerate and edit: nothing is overwritten, the history is the active path."""

from __future__ import annotations

import pytest

from conversations.models import Conversation, Generation, Message, Status
from conversations.store.histories import siblings_of
from conversations.store.paths import newest_leaf, show_path_to
from tests.conversations.stored import a_turn, assistant, converse, edit, end, regenerate, shown, start, user

pytestmark = pytest.mark.django_db


def named(text: str) -> Message:
    return Message.objects.get(content=text)


def show(text: str) -> None:
    """What `activate` does."""
    show_path_to(Conversation.objects.get().pk, newest_leaf(named(text).pk))


def test_regenerate_shows_a_new_reply_in_the_old_ones_place() -> None:
    first, _ = converse(("a", "A"), ("b", "B"))
    start(regenerate(first.message_id))
    assert shown() == ["a", "> "]


def test_regenerate_overwrites_nothing() -> None:
    (first,) = converse(("a", "A"))
    end(start(regenerate(first.message_id)), "A2")
    assert set(named("a").children.values_list("content", flat=True)) == {"A", "A2"}


def test_regenerate_sends_the_path_to_the_question() -> None:
    _first, second = converse(("a", "A"), ("b", "B"))
    assert start(regenerate(second.message_id)).messages == [user("a"), assistant("A"), user("b")]


def test_regenerate_in_an_older_branch_sends_that_branch() -> None:
    _first, second = converse(("a", "A"), ("b", "B"))
    end(start(edit(named("a").public_id, "a2")), "A2")
    assert start(regenerate(second.message_id)).messages == [user("a"), assistant("A"), user("b")]


def test_regenerate_asks_the_provider_that_answered() -> None:
    begun = start(a_turn("a"))
    end(begun, "A", provider="claude", model="claude-x")
    assert start(regenerate(begun.message_id)).provider == "claude"


def test_regenerate_asks_the_provider_of_the_request() -> None:
    begun = start(a_turn("a", provider="claude"))
    end(begun, "A", provider="claude", model="claude-x")
    assert start(regenerate(begun.message_id, provider="gemini")).provider == "gemini"


def test_regenerate_of_a_failed_reply_asks_its_provider_again() -> None:
    begun = start(a_turn("a", provider="claude"))
    end(begun, status="failed")
    assert start(regenerate(begun.message_id)).provider == "claude"


def test_regenerate_uses_the_present_instructions() -> None:
    begun = start(a_turn("a", instructions="old"))
    end(begun, "A")
    end(start(a_turn("b", instructions="new")), "B")
    assert start(regenerate(begun.message_id)).instructions == "new"


def test_regenerate_without_text_shows_again_what_was_shown() -> None:
    first, _second = converse(("a", "A"), ("b", "B"))
    end(start(regenerate(first.message_id)), status="failed")
    assert shown() == ["a", "> A", "b", "> B"]


def test_regenerate_without_text_does_not_count() -> None:
    (first,) = converse(("a", "A"))
    end(start(regenerate(first.message_id)), status="failed")
    assert Conversation.objects.get().message_count == 2


def test_regenerate_with_partial_text_stays() -> None:
    (first,) = converse(("a", "A"))
    end(start(regenerate(first.message_id)), "par", status="failed")
    assert shown() == ["a", "> par"]


def test_two_regenerates_without_text_show_again_what_was_shown() -> None:
    (first,) = converse(("a", "A"))
    once, twice = start(regenerate(first.message_id)), start(regenerate(first.message_id))
    end(once, status="cancelled")
    end(twice, status="cancelled")
    assert shown() == ["a", "> A"]


def test_two_regenerates_that_end_together_show_again_what_was_shown() -> None:
    (first,) = converse(("a", "A"))
    once, twice = start(regenerate(first.message_id)), start(regenerate(first.message_id))
    end(twice, status="cancelled")
    end(once, status="cancelled")
    assert shown() == ["a", "> A"]


def test_a_regenerate_that_fails_unseen_changes_nothing_that_is_shown() -> None:
    (_first,) = converse(("a", "A"))
    (second,) = [start(edit(named("a").public_id, "a2"))]
    end(second, "A2")
    running = start(regenerate(second.message_id))
    show("A")
    end(running, status="failed")
    assert shown() == ["a", "> A"]


def test_a_regenerate_that_ends_unseen_stays_unseen() -> None:
    (first,) = converse(("a", "A"))
    running = start(regenerate(first.message_id))
    show("A")
    end(running, "A2")
    assert shown() == ["a", "> A"]


def test_a_turn_that_followed_keeps_the_path_when_the_regenerate_fails() -> None:
    (first,) = converse(("a", "A"))
    again = start(regenerate(first.message_id))
    start(a_turn("b"))
    end(again, status="failed")
    assert shown() == ["a", "b", "> "]


def test_edit_shows_the_new_text_in_the_old_ones_place() -> None:
    converse(("a", "A"), ("b", "B"))
    start(edit(named("b").public_id, "b2"))
    assert shown() == ["a", "> A", "b2", "> "]


def test_edit_of_the_first_message_begins_anew() -> None:
    converse(("a", "A"))
    end(start(edit(named("a").public_id, "a2")), "A2")
    assert shown() == ["a2", "> A2"]


def test_edit_sends_the_path_before_it() -> None:
    converse(("a", "A"), ("b", "B"))
    assert start(edit(named("b").public_id, "b2")).messages == [user("a"), assistant("A"), user("b2")]


def test_edit_to_the_same_text_is_a_new_message() -> None:
    converse(("a", "A"))
    start(edit(named("a").public_id, "a"))
    assert Message.objects.filter(role="user", content="a").count() == 2


def test_edit_asks_the_provider_of_the_old_reply() -> None:
    end(start(a_turn("a")), "A", provider="claude", model="claude-x")
    assert start(edit(named("a").public_id, "a2")).provider == "claude"


def test_edit_of_an_unanswered_message_asks_whom_it_was_sent_to() -> None:
    end(start(a_turn("a", provider="gemini")), status="failed")
    assert start(edit(named("a").public_id, "a2")).provider == "gemini"


def test_an_edited_message_whose_reply_failed_stays() -> None:
    converse(("a", "A"))
    end(start(edit(named("a").public_id, "a2")), status="failed")
    assert shown() == ["a2"]


def test_the_title_stays_that_of_the_first_question() -> None:
    converse(("a", "A"))
    start(edit(named("a").public_id, "a2"))
    assert Conversation.objects.get().title == "a"


def test_a_branch_goes_on_where_it_is_shown() -> None:
    first, _second = converse(("a", "A"), ("b", "B"))
    end(start(regenerate(first.message_id)), "A2")
    end(start(a_turn("c")), "C")
    assert shown() == ["a", "> A2", "c", "> C"]


def test_a_turn_under_an_unanswered_question_of_another_branch_that_fails_changes_nothing_shown() -> None:
    first = start(a_turn("a"))
    end(first, status="failed")
    end(start(a_turn("b", parent_id=None)), "B")
    end(start(a_turn("a", parent_id=first.message_id)), status="failed")
    assert shown() == ["b", "> B"]


# -- paths


def test_to_show_a_branch_is_to_show_its_newest_leaf() -> None:
    converse(("a", "A"), ("b", "B"))
    end(start(edit(named("a").public_id, "a2")), "A2")
    show("a")
    assert shown() == ["a", "> A", "b", "> B"]


def test_a_reply_without_text_is_no_leaf() -> None:
    converse(("a", "A"))
    end(start(a_turn("b")), status="failed")
    assert newest_leaf(named("a").pk) == named("b").pk


def test_a_reply_that_streams_is_a_leaf() -> None:
    begun = start(a_turn("a"))
    assert newest_leaf(named("a").pk) == begun.message_pk


def test_a_message_without_followers_is_its_own_leaf() -> None:
    converse(("a", "A"))
    assert newest_leaf(named("A").pk) == named("A").pk


def test_to_show_nothing() -> None:
    converse(("a", "A"))
    show_path_to(Conversation.objects.get().pk, None)
    assert shown() == []


def test_to_show_what_is_shown_changes_nothing() -> None:
    converse(("a", "A"), ("b", "B"))
    show("B")
    assert shown() == ["a", "> A", "b", "> B"]


def test_to_show_an_earlier_message_hides_what_follows() -> None:
    converse(("a", "A"), ("b", "B"))
    show_path_to(Conversation.objects.get().pk, named("A").pk)
    assert shown() == ["a", "> A"]


def test_to_show_a_path_never_shows_a_reply_without_text() -> None:
    first = start(a_turn("a"))
    second = start(a_turn("b"))
    end(first, status="failed")
    end(second, "B")
    end(start(a_turn("c", parent_id=None)), "C")
    show("B")
    assert shown() == ["a", "b", "> B"]


def test_to_show_a_path_leaves_other_conversations_alone() -> None:
    converse(("a", "A"))
    converse(("x", "X"), conversation_id="session-2")
    show_path_to(Conversation.objects.get(public_id="session-1").pk, None)
    assert shown("session-2") == ["x", "> X"]


# -- siblings


def test_siblings_are_the_alternatives_oldest_first() -> None:
    (first,) = converse(("a", "A"))
    again = start(regenerate(first.message_id))
    end(again, "A2")
    assert siblings_of([named("A2")])[again.message_pk] == [first.message_id, again.message_id]


def test_siblings_of_a_first_message_are_other_beginnings() -> None:
    converse(("a", "A"))
    start(edit(named("a").public_id, "a2"))
    converse(("x", "X"), conversation_id="session-2")
    assert siblings_of([named("a2")])[named("a2").pk] == [named("a").public_id, named("a2").public_id]


def test_a_reply_without_text_is_no_sibling() -> None:
    (first,) = converse(("a", "A"))
    end(start(regenerate(first.message_id)), status="failed")
    assert siblings_of([named("A")])[first.message_pk] == [first.message_id]


def test_a_reply_that_streams_is_a_sibling() -> None:
    (first,) = converse(("a", "A"))
    running = start(regenerate(first.message_id))
    assert siblings_of([named("A")])[first.message_pk] == [first.message_id, running.message_id]


def test_a_question_under_a_question_is_no_sibling_of_its_reply() -> None:
    end(start(a_turn("a")), status="failed")
    end(start(a_turn("b")), "B")
    first = Message.objects.get(content="a").children.get(role="assistant")
    end(start(regenerate(first.public_id)), "A")
    assert siblings_of([named("A")])[named("A").pk] == [named("A").public_id]


def test_a_waiting_regenerate_can_be_cancelled_unseen() -> None:
    (first,) = converse(("a", "A"))
    start(a_turn("b"))
    waiting = start(regenerate(first.message_id))
    end(waiting, status=Status.CANCELLED)
    assert (shown(), Generation.objects.count()) == (["a", "> A", "b", "> "], 1)
