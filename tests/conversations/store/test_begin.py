from __future__ import annotations

import pytest

from conversations.models import Conversation, Generation, Message, User
from conversations.refusals import Busy, InvalidTurn, NotThere, TurnRefused, WrongMessage
from conversations.store.begin import refusal
from conversations.turns import Turn
from tests.conversations.stored import (
    WORKER,
    a_turn,
    assistant,
    converse,
    edit,
    end,
    everything,
    path_above,
    regenerate,
    shown,
    start,
    state_of,
    states,
    user,
)

pytestmark = pytest.mark.django_db


def test_it_creates_the_conversation_on_first_use() -> None:
    start(a_turn("hi", conversation_id="session-1736937000000"))
    assert Conversation.objects.get().public_id == "session-1736937000000"


def test_it_names_a_conversation_that_has_no_name() -> None:
    begun = start(a_turn("hi", conversation_id=None))
    assert begun.conversation_id == Conversation.objects.get().public_id


def test_it_writes_the_question_and_the_empty_reply() -> None:
    start(a_turn("hi"))
    rows = Message.objects.order_by("pk").values_list("role", "content", "status")
    assert list(rows) == [("user", "hi", "complete"), ("assistant", "", "streaming")]


def test_it_keeps_the_text_as_it_is() -> None:
    start(a_turn("  hi\r\n\tthere \U0001f600 "))
    assert Message.objects.get(role="user").content == "  hi\r\n\tthere \U0001f600 "


def test_it_tells_what_goes_upstream() -> None:
    converse(("a", "A"))
    assert start(a_turn("b")).messages == [user("a"), assistant("A"), user("b")]


def test_it_stores_what_is_brought_along() -> None:
    start(a_turn(user("a"), assistant("A"), user("b")))
    assert shown() == ["a", "> A", "b", "> "]


def test_it_hangs_each_message_under_the_one_before() -> None:
    begun = start(a_turn(user("a"), assistant("A"), user("b")))
    assert path_above(begun) == ["a", "A", "b"]


def test_it_runs_the_first_turn_at_once() -> None:
    begun = start(a_turn("hi"))
    assert (begun.running, state_of(begun)) == (True, "running")


def test_it_notes_who_produces_the_reply() -> None:
    start(a_turn("hi"))
    assert Generation.objects.get().worker_id == WORKER


def test_it_notes_the_request() -> None:
    start(a_turn("hi", request_id="abc"))
    assert set(Message.objects.values_list("request_id", flat=True)) == {"abc"}


def test_it_names_the_chunks_by_the_provider_asked_for() -> None:
    begun = start(a_turn("hi", provider="claude"))
    assert (begun.provider, Message.objects.get(pk=begun.message_pk).requested_provider) == ("claude", "claude")


def test_it_names_the_chunks_by_the_default_provider_otherwise() -> None:
    begun = start(a_turn("hi"))
    assert (begun.provider, Message.objects.get(pk=begun.message_pk).requested_provider) == ("", "gpt")


# -- the conversation's own columns


def test_the_title_is_the_beginning_of_the_first_question_in_one_line() -> None:
    start(a_turn("  What\n is\tthe   time? "))
    assert Conversation.objects.get().title == "What is the time?"


def test_the_title_has_at_most_80_characters() -> None:
    start(a_turn("x" * 100))
    assert Conversation.objects.get().title == "x" * 80


def test_the_title_ends_with_no_space() -> None:
    start(a_turn("x" * 79 + " y"))
    assert Conversation.objects.get().title == "x" * 79


def test_the_title_is_of_the_first_question_of_what_is_brought_along() -> None:
    start(a_turn(assistant("hello"), user("a"), assistant("A"), user("b")))
    assert Conversation.objects.get().title == "a"


def test_the_title_stays() -> None:
    converse(("a", "A"), ("b", "B"))
    assert Conversation.objects.get().title == "a"


def test_a_chosen_title_stays() -> None:
    Conversation.objects.create(public_id="session-1", title="Mine")
    start(a_turn("a"))
    assert list(Conversation.objects.values_list("title", "opening")) == [("Mine", "a")]


def test_it_counts_messages() -> None:
    converse(("a", "A"))
    start(a_turn("b", "c"))
    assert Conversation.objects.get().message_count == 5


def test_the_conversation_shows_that_a_reply_streams() -> None:
    start(a_turn("a"))
    assert Conversation.objects.get().last_status == "streaming"


def test_a_turn_is_activity() -> None:
    converse(("a", "A"))
    before = Conversation.objects.get().last_activity_at
    Conversation.objects.update(last_activity_at=before.replace(year=2020))
    start(a_turn("b"))
    assert Conversation.objects.get().last_activity_at >= before


def test_instructions_become_the_conversations() -> None:
    begun = start(a_turn("a", instructions="Be brief."))
    assert (begun.instructions, Conversation.objects.get().instructions) == ("Be brief.", "Be brief.")


def test_instructions_are_kept_by_a_turn_without_any() -> None:
    end(start(a_turn("a", instructions="Be brief.")), "A")
    assert start(a_turn("b")).instructions == "Be brief."


def test_instructions_are_replaced_by_those_of_a_later_turn() -> None:
    end(start(a_turn("a", instructions="Be brief.")), "A")
    start(a_turn("b", instructions="Be kind."))
    assert Conversation.objects.get().instructions == "Be kind."


# -- owners


def test_the_same_name_is_another_conversation_for_each_owner() -> None:
    for name in ("ada", "bob"):
        start(a_turn("a", owner_id=User.objects.create(username=name).pk))
    start(a_turn("a"))
    assert Conversation.objects.filter(public_id="session-1").count() == 3


def test_an_owner_goes_on_in_the_own_conversation() -> None:
    ada = User.objects.create(username="ada").pk
    end(start(a_turn("a", owner_id=ada)), "A")
    converse(("x", "X"))
    assert start(a_turn("b", owner_id=ada)).messages == [user("a"), assistant("A"), user("b")]


@pytest.mark.parametrize("kind", [regenerate, edit])
def test_anothers_message_does_not_exist(kind: object) -> None:
    (begun,) = converse(("a", "A"))
    stranger = User.objects.create(username="stranger").pk
    turn = Turn(owner_id=stranger, kind="regenerate" if kind is regenerate else "edit", target_id=begun.message_id)
    with pytest.raises(NotThere):
        start(turn)


# -- a reply is under way


def test_a_second_turn_waits() -> None:
    first, second = start(a_turn("a")), start(a_turn("b"))
    assert states([first, second]) == ["running", "waiting"]


def test_a_waiting_turn_goes_under_the_reply_before_it() -> None:
    start(a_turn("a"))
    assert path_above(start(a_turn("b"))) == ["a", "", "b"]


def test_a_waiting_turn_is_not_told_what_goes_upstream_yet() -> None:
    start(a_turn("a"))
    second = start(a_turn("b"))
    assert (second.running, list(second.messages)) == (False, [])


def test_the_order_is_that_of_arrival() -> None:
    for text in ("a", "b", "c"):
        start(a_turn(text))
    assert shown() == ["a", "> ", "b", "> ", "c", "> "]


def test_reject_refuses_while_a_reply_is_under_way() -> None:
    start(a_turn("a"))
    with pytest.raises(Busy):
        start(a_turn("b", on_busy="reject"))


def test_reject_begins_where_nothing_is_under_way() -> None:
    converse(("a", "A"))
    assert start(a_turn("b", on_busy="reject")).running


def test_reject_judges_its_own_conversation_only() -> None:
    start(a_turn("a", conversation_id="session-2"))
    assert start(a_turn("b", on_busy="reject")).running


def test_interrupt_cancels_what_runs_and_what_waits() -> None:
    first, second = start(a_turn("a")), start(a_turn("b"))
    third = start(a_turn("c", on_busy="interrupt"))
    assert list(third.to_cancel) == [first.message_pk, second.message_pk]


def test_interrupt_leaves_the_wish_for_other_workers() -> None:
    start(a_turn("a"))
    third = start(a_turn("c", on_busy="interrupt"))
    asked = Generation.objects.exclude(pk=third.message_pk)
    assert all(generation.cancel_requested_at for generation in asked)


def test_interrupt_itself_waits_for_the_end_of_what_it_cancels() -> None:
    start(a_turn("a"))
    assert not start(a_turn("c", on_busy="interrupt")).running


def test_interrupt_keeps_the_first_wish_to_cancel() -> None:
    first = start(a_turn("a"))
    start(a_turn("b", on_busy="interrupt"))
    wished = Generation.objects.get(pk=first.message_pk).cancel_requested_at
    start(a_turn("c", on_busy="interrupt"))
    assert Generation.objects.get(pk=first.message_pk).cancel_requested_at == wished


# -- where a turn goes


def reply_id(text: str) -> str:
    return Message.objects.get(role="assistant", content=text).public_id


def test_a_turn_goes_under_the_named_reply() -> None:
    converse(("a", "A"), ("b", "B"))
    start(a_turn("c", parent_id=reply_id("A")))
    assert shown() == ["a", "> A", "c", "> "]


def test_a_turn_under_a_named_reply_sends_that_path() -> None:
    converse(("a", "A"), ("b", "B"))
    assert start(a_turn("c", parent_id=reply_id("A"))).messages == [user("a"), assistant("A"), user("c")]


def test_a_turn_under_the_newest_reply_goes_on() -> None:
    converse(("a", "A"))
    start(a_turn("b", parent_id=reply_id("A")))
    assert shown() == ["a", "> A", "b", "> "]


def test_a_turn_without_a_parent_begins_anew() -> None:
    converse(("a", "A"))
    start(a_turn("b", parent_id=None))
    assert shown() == ["b", "> "]


def test_a_new_beginning_stores_all_that_was_sent() -> None:
    converse(("a", "A"))
    start(a_turn(user("x"), assistant("X"), user("y"), parent_id=None))
    assert shown() == ["x", "> X", "y", "> "]


def test_no_parent_in_a_new_conversation_is_its_beginning() -> None:
    start(a_turn("a", parent_id=None))
    assert shown() == ["a", "> "]


def test_a_turn_may_go_under_a_reply_that_streams() -> None:
    first = start(a_turn("a"))
    second = start(a_turn("b", parent_id=first.message_id))
    assert (second.running, path_above(second)) == (False, ["a", "", "b"])


def test_a_turn_under_a_reply_without_text_answers_its_question_again() -> None:
    first = start(a_turn("a"))
    end(first, status="failed")
    second = start(a_turn("a", parent_id=first.message_id))
    assert path_above(second) == ["a"]


def test_a_whole_list_is_told_on_a_long_branch_too() -> None:
    converse(*((f"q{number}", f"r{number}") for number in range(30)))
    start(a_turn("other", parent_id=None))
    said = [f"q{number}" for number in range(30)]
    begun = start(a_turn(*said, "new", parent_id=reply_id("r29")))
    assert Message.objects.get(pk=begun.message_pk).parent.parent.public_id == reply_id("r29")  # type: ignore[union-attr]


def test_a_whole_list_is_told_on_a_long_path() -> None:
    converse(*((f"q{number}", f"r{number}") for number in range(30)))
    start(a_turn(*(f"q{number}" for number in range(30)), "new"))
    assert shown()[-3:] == ["> r29", "new", "> "]


def test_a_list_shorter_than_a_long_path_is_no_whole_list() -> None:
    converse(*((f"q{number}", f"r{number}") for number in range(30)))
    start(a_turn("q0", "new"))
    assert shown()[-4:] == ["> r29", "q0", "new", "> "]


def test_no_more_than_50_messages_go_upstream() -> None:
    converse(*((f"q{number}", f"r{number}") for number in range(30)))
    messages = start(a_turn("new")).messages
    assert (len(messages), messages[0], messages[-1]) == (49, user("q6"), user("new"))


UNKNOWN_PARENTS = ["msg-1", "", "a question", "another conversation's reply"]


@pytest.mark.parametrize("parent", UNKNOWN_PARENTS)
def test_any_other_parent_is_refused(parent: str) -> None:
    converse(("a", "A"))
    converse(("x", "X"), conversation_id="session-2")
    found = {
        "a question": Message.objects.get(content="a").public_id,
        "another conversation's reply": reply_id("X"),
    }
    with pytest.raises(InvalidTurn):
        start(a_turn("b", parent_id=found.get(parent, parent)))


# -- a refused turn changes nothing


def waiting_conversation() -> None:
    converse(("a", "A"))
    start(a_turn("b"))


def targets() -> dict[str, str]:
    return {row.content: row.public_id for row in Message.objects.all()}


REFUSED = {
    "busy": (lambda ids: a_turn("c", on_busy="reject", instructions="new"), Busy),
    "nothing new": (lambda ids: a_turn(user("a"), assistant("A"), instructions="new"), InvalidTurn),
    "no parent of this conversation": (lambda ids: a_turn("c", parent_id="msg-1", instructions="new"), InvalidTurn),
    "a question as parent": (lambda ids: a_turn("c", parent_id=ids["a"], instructions="new"), InvalidTurn),
    "nothing new in a new conversation": (
        lambda ids: a_turn(conversation_id="session-9", instructions="new"),
        InvalidTurn,
    ),
    "an unanswerable beginning": (lambda ids: a_turn(assistant("A"), conversation_id="session-9"), InvalidTurn),
    "regenerate a question": (lambda ids: regenerate(ids["a"], on_busy="interrupt"), WrongMessage),
    "edit a reply": (lambda ids: edit(ids["A"], "new", on_busy="interrupt"), WrongMessage),
    "regenerate what does not exist": (lambda ids: regenerate("msg-1"), NotThere),
    "regenerate while busy": (lambda ids: regenerate(ids["A"], on_busy="reject"), Busy),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_turn_changes_nothing(name: str) -> None:
    waiting_conversation()
    make, refused = REFUSED[name]
    turn = make(targets())
    before = everything()
    with pytest.raises(refused):
        start(turn)
    assert everything() == before


@pytest.mark.parametrize("name", [name for name, (_, refused) in REFUSED.items() if refused is not Busy])
def test_a_refusal_can_be_told_beforehand(name: str) -> None:
    waiting_conversation()
    make, refused = REFUSED[name]
    with pytest.raises(refused):
        refusal(make(targets()))


def test_to_ask_for_a_refusal_stores_nothing() -> None:
    before = everything()
    refusal(a_turn("a"))
    assert everything() == before


def test_every_refusal_is_a_sentence() -> None:
    waiting_conversation()
    for make, _ in REFUSED.values():
        with pytest.raises(TurnRefused) as caught:
            start(make(targets()))
        assert str(caught.value).endswith((".", "answer."))


def test_a_reply_brought_along_first_answers_nothing() -> None:
    end(start(a_turn(assistant("hello"), user("a"))), "A")
    with pytest.raises(WrongMessage):
        start(regenerate(reply_id("hello")))
