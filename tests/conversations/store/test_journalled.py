from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.models import JournalEntry, Message
from conversations.store.following import news_of, producer_of
from conversations.store.histories import streamed_of
from conversations.store.journalled import joined
from tests.conversations.stored import WORKER, a_turn, end, start

CASES = [
    ([], ""),
    ([(0, "ab"), (2, "c")], "abc"),
    ([(5, "ab"), (7, "c")], "abc"),
    ([(0, "ab"), (0, "abcd")], "abcd"),
    ([(0, "ab"), (1, "bcd")], "abcd"),
    ([(0, "abcd"), (1, "bc"), (4, "e")], "abcde"),
    ([(0, ""), (0, "a")], "a"),
]


@pytest.mark.parametrize(("pieces", "text"), CASES)
def test_it_puts_the_pieces_together(pieces: list[tuple[int, str]], text: str) -> None:
    assert joined(pieces) == text


@given(st.text(max_size=30), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 10)), max_size=10))
def test_what_was_written_twice_is_there_once(text: str, lengths: list[tuple[int, int]]) -> None:
    """Every batch goes on where the text that was acknowledged ends, which may be behind what was written."""
    pieces, written, acknowledged = [], 0, 0
    for length, lost in lengths:
        end_of_piece = min(len(text), max(written, acknowledged + length))
        pieces.append((acknowledged, text[acknowledged:end_of_piece]))
        written = end_of_piece
        acknowledged = end_of_piece if lost % 2 else acknowledged
    assert joined(pieces) == text[:written]


def journal(message_pk: int, *pieces: tuple[int, str]) -> list[JournalEntry]:
    return [JournalEntry.objects.create(message_id=message_pk, position=at, text=text) for at, text in pieces]


@pytest.mark.django_db
def test_a_streaming_message_shows_what_the_journal_holds() -> None:
    begun = start(a_turn("a"))
    journal(begun.message_pk, (0, "par"), (3, "ti"))
    assert streamed_of(list(Message.objects.order_by("pk"))) == {begun.message_pk: "parti"}


@pytest.mark.django_db
def test_a_streaming_message_shows_once_what_was_written_twice() -> None:
    begun = start(a_turn("a"))
    journal(begun.message_pk, (0, "par"), (0, "parti"))
    assert streamed_of(list(Message.objects.order_by("pk"))) == {begun.message_pk: "parti"}


@pytest.mark.django_db
def test_messages_that_have_ended_cost_no_look_at_the_journal() -> None:
    end(start(a_turn("a")), "A")
    assert streamed_of(list(Message.objects.all())) == {}


# -- following


@pytest.mark.django_db
def test_the_producer_of_a_reply_is_known_until_it_ends() -> None:
    begun = start(a_turn("a"))
    assert producer_of(begun.message_pk) == WORKER
    end(begun, "A")
    assert producer_of(begun.message_pk) is None


@pytest.mark.django_db
def test_a_reply_without_text_yet_has_no_news() -> None:
    begun = start(a_turn("a"))
    assert news_of({begun.message_pk: 0}) == {}


@pytest.mark.django_db
def test_news_is_what_came_after_the_entry_last_seen() -> None:
    begun = start(a_turn("a"))
    seen, new = journal(begun.message_pk, (0, "par"), (3, "ti"))
    news = news_of({begun.message_pk: seen.pk})[begun.message_pk]
    assert (news.text, news.position, news.last_entry, news.ended) == ("ti", 3, new.pk, None)


@pytest.mark.django_db
def test_each_reply_has_its_own_news() -> None:
    one, two = start(a_turn("a")), start(a_turn("x", conversation_id="session-2"))
    (first,) = journal(one.message_pk, (0, "A"))
    journal(two.message_pk, (0, "X"))
    news = news_of({one.message_pk: first.pk, two.message_pk: 0})
    assert {key: each.text for key, each in news.items()} == {two.message_pk: "X"}


@pytest.mark.django_db
def test_news_of_the_end_is_the_message() -> None:
    begun = start(a_turn("a"))
    end(begun, "A")
    ended = news_of({begun.message_pk: 0})[begun.message_pk].ended
    assert ended is not None
    assert ended.content == "A"


@pytest.mark.django_db
def test_news_of_a_deleted_reply_is_that_it_is_gone() -> None:
    assert news_of({1: 0})[1].gone
