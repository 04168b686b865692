from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conversations.models import Conversation, JournalEntry, Message, User
from conversations.refusals import InvalidTurn, NotThere
from conversations.store.histories import CHUNK, chunk_after, page, parents_of
from conversations.store.paths import newest_leaf, show_path_to
from conversations.store.reading import message_by_key, message_of
from tests.conversations.stored import a_turn, converse, edit, end, regenerate, shown, start

pytestmark = pytest.mark.django_db


def contents(limit: int = 50, before: str | None = None, name: str = "session-1") -> list[str]:
    return [message.content for message in page(None, name, limit, before).messages]


def id_of(text: str) -> str:
    return Message.objects.get(content=text).public_id


def test_a_page_is_the_newest_oldest_first() -> None:
    converse(("a", "A"), ("b", "B"))
    assert contents(3) == ["A", "b", "B"]


def test_the_page_before_a_message() -> None:
    converse(("a", "A"), ("b", "B"))
    assert contents(2, id_of("b")) == ["a", "A"]


def test_pages_backwards_are_the_whole_history() -> None:
    converse(*((f"q{number}", f"r{number}") for number in range(10)))
    found, before = list[str](), None
    while texts := contents(3, before):
        found = texts + found
        before = id_of(texts[0])
    assert found == [text for number in range(10) for text in (f"q{number}", f"r{number}")]


def test_a_page_before_a_message_of_another_branch_shows_the_present_one() -> None:
    converse(("a", "A"), ("b", "B"))
    end(start(edit(id_of("b"), "b2")), "B2")
    assert contents(50, id_of("B")) == ["a", "A"]


@pytest.mark.parametrize("before", ["msg-1", "the other's"])
def test_a_page_before_what_is_not_there_is_refused(before: str) -> None:
    converse(("a", "A"))
    converse(("x", "X"), conversation_id="session-2")
    with pytest.raises(InvalidTurn):
        contents(50, id_of("X") if before == "the other's" else before)


def test_a_conversation_without_messages_has_an_empty_page() -> None:
    Conversation.objects.create(public_id="session-1")
    assert contents() == []


def test_a_conversation_that_does_not_exist_has_no_page() -> None:
    with pytest.raises(NotThere):
        contents()


def test_anothers_conversation_does_not_exist() -> None:
    converse(("a", "A"))
    with pytest.raises(NotThere):
        page(User.objects.create(username="stranger").pk, "session-1", 50, None)


def test_an_owners_conversation_does_not_exist_for_those_without_account() -> None:
    start(a_turn("a", owner_id=User.objects.create(username="ada").pk))
    with pytest.raises(NotThere):
        contents()


def test_a_page_has_the_text_that_streams() -> None:
    begun = start(a_turn("a"))
    JournalEntry.objects.create(message_id=begun.message_pk, position=0, text="par")
    assert page(None, "session-1", 50, None).streamed == {begun.message_pk: "par"}


def test_a_page_has_the_alternatives() -> None:
    (first,) = converse(("a", "A"))
    again = start(regenerate(first.message_id))
    end(again, "A2")
    found = page(None, "session-1", 50, None).siblings
    assert found[again.message_pk] == [first.message_id, again.message_id]


def test_the_whole_history_is_read_in_steps() -> None:
    converse(("a", "A"), ("b", "B"))
    row = Conversation.objects.get()
    first = chunk_after(row.pk, 0).messages
    assert [message.content for message in first] == ["a", "A", "b", "B"]
    assert list(chunk_after(row.pk, first[-1].pk).messages) == []


def test_parents_are_known_by_their_ids() -> None:
    (_begun,) = converse(("a", "A"))
    messages = list(Message.objects.all())
    question = Message.objects.get(content="a")
    assert parents_of(messages) == {question.pk: question.public_id}


# -- one message


def test_a_message_is_found_by_its_id() -> None:
    converse(("a", "A"))
    assert message_of(None, id_of("A")).content == "A"


def test_anothers_message_does_not_exist() -> None:
    converse(("a", "A"))
    with pytest.raises(NotThere):
        message_of(User.objects.create(username="stranger").pk, id_of("A"))


def test_a_message_that_is_gone_has_no_key() -> None:
    assert message_by_key(1) is None


# -- a long conversation


LONG = 10_000
LONG_ENOUGH = 2_000


def a_long_conversation(length: int = LONG_ENOUGH) -> Conversation:
    conversation = Conversation.objects.create(public_id="session-1", message_count=length)
    first = (Message.objects.order_by("-pk").values_list("pk", flat=True).first() or 0) + 1
    Message.objects.bulk_create(
        (
            Message(
                pk=first + number,
                public_id=f"msg-{number}",
                conversation=conversation,
                parent_id=first + number - 1 if number else None,
                role="assistant" if number % 2 else "user",
                content=f"{number}",
            )
            for number in range(length)
        ),
        batch_size=500,
    )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT setval(pg_get_serial_sequence('conversations_message', 'id'), %s)", [first + length])
    return conversation


def cost(work: Callable[[], Any]) -> int:
    """The number of statements."""
    with CaptureQueriesContext(connection) as captured:
        work()
    return len([query for query in captured if "SAVEPOINT" not in query["sql"]])


def test_a_page_of_a_long_conversation_costs_what_one_of_a_short_one_costs() -> None:
    converse(*((f"q{number}", f"r{number}") for number in range(10)), conversation_id="session-2")
    short = cost(lambda: page(None, "session-2", 10, None))
    a_long_conversation(LONG)
    assert cost(lambda: page(None, "session-1", 200, "msg-5000")) == short + 1


def test_a_long_history_is_read_in_bounded_steps() -> None:
    conversation = a_long_conversation()
    key, steps, read = 0, 0, 0
    while messages := chunk_after(conversation.pk, key).messages:
        key, steps, read = messages[-1].pk, steps + 1, read + len(messages)
        assert len(messages) <= CHUNK
    assert (read, steps) == (LONG_ENOUGH, LONG_ENOUGH // CHUNK)


def test_a_turn_of_a_long_conversation_costs_what_one_of_a_short_one_costs() -> None:
    converse(("a", "A"), conversation_id="session-2")
    short = cost(lambda: start(a_turn("b", conversation_id="session-2")))
    a_long_conversation()
    assert cost(lambda: start(a_turn("b"))) <= short + 1


def test_a_turn_of_a_long_conversation_sends_its_newest_messages() -> None:
    a_long_conversation()
    messages = start(a_turn("b")).messages
    assert (len(messages), messages[0].content, messages[-1].content) == (49, "1952", "b")


def test_a_branch_at_the_root_of_a_long_conversation_can_be_shown_and_left() -> None:
    conversation = a_long_conversation()
    end(start(edit("msg-0", "other")), "O")
    assert shown() == ["other", "> O"]
    leaf = newest_leaf(Message.objects.get(public_id="msg-0").pk)
    show_path_to(conversation.pk, leaf)
    assert Message.objects.filter(active=True).count() == LONG_ENOUGH
