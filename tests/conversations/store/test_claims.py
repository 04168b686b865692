"""`Idempotency-Key`: one turn for one key, and what becomes of the key when the turn ends."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F

from conversations.models import Conversation, IdempotencyKey, Message
from conversations.refusals import InvalidTurn, KeyReused
from conversations.store.begin import refusal, replay
from tests.conversations.stored import a_claim, a_turn, assistant, edit, end, path_above, regenerate, shown, start, user

pytestmark = pytest.mark.django_db

STREAM = "chat/gpt"
JSON = "completions"


def keyed(*said: object, route: str = STREAM, **fields: object):  # type: ignore[no-untyped-def]
    return a_turn(*said, claim=a_claim(route=route), **fields)  # type: ignore[arg-type]


def test_the_same_key_is_the_same_turn() -> None:
    first = start(keyed("a"))
    again = start(keyed("a"))
    assert (again.message_id, again.fresh) == (first.message_id, False)


def test_the_same_key_stores_nothing_more() -> None:
    start(keyed("a"))
    start(keyed("a"))
    assert shown() == ["a", "> "]


def test_a_key_can_be_looked_up_before_anything_else() -> None:
    first = start(keyed("a"))
    found = replay(keyed("a"))
    assert found is not None
    assert (found.message_id, found.conversation_id, found.fresh) == (first.message_id, "session-1", False)


def test_an_unknown_key_stands_for_nothing() -> None:
    assert replay(keyed("a")) is None


def test_a_turn_without_a_key_is_nobodys_repetition() -> None:
    start(a_turn("a"))
    assert replay(a_turn("a")) is None


def test_the_chunks_of_a_repetition_have_the_same_name() -> None:
    start(keyed("a", provider="claude"))
    assert start(keyed("a", provider="claude")).provider == "claude"


def test_a_key_names_a_new_conversation_once() -> None:
    first = start(keyed("a", conversation_id=None))
    assert start(keyed("a", conversation_id=None)).conversation_id == first.conversation_id


@pytest.mark.parametrize("claim", [a_claim(body="other"), a_claim(route="chat/claude"), a_claim(route=JSON)])
@pytest.mark.parametrize("act", [start, replay, refusal])
def test_a_key_stands_for_one_request_only(claim: object, act: object) -> None:
    end(start(keyed("a")), "A")
    with pytest.raises(KeyReused):
        act(a_turn("b", claim=claim))  # type: ignore[operator]


def test_a_key_is_its_callers_own() -> None:
    start(keyed("a"))
    assert start(a_turn("b", claim=a_claim(scope="owner:2", body="other"))).fresh


def test_a_refused_turn_claims_nothing() -> None:
    with pytest.raises(InvalidTurn):
        start(keyed(assistant("A")))
    assert not IdempotencyKey.objects.exists()


def test_a_key_is_kept_for_24_hours() -> None:
    first = start(keyed("a"))
    IdempotencyKey.objects.update(created_at=F("created_at") - timedelta(hours=23, minutes=59))
    assert start(keyed("a")).message_id == first.message_id


def test_a_key_is_forgotten_after_24_hours() -> None:
    end(start(keyed("a")), "A")
    IdempotencyKey.objects.update(created_at=F("created_at") - timedelta(hours=24, minutes=1))
    assert start(keyed("b")).fresh


def test_keys_go_with_their_conversation() -> None:
    start(keyed("a"))
    Conversation.objects.all().delete()
    assert not IdempotencyKey.objects.exists()


# -- which ends keep a key: what answered 200, and what had begun to stream

ENDS = [
    (STREAM, "complete", "A", True),
    (STREAM, "failed", "par", True),
    (STREAM, "interrupted", "par", True),
    (STREAM, "cancelled", "", True),
    (STREAM, "failed", "", False),
    (STREAM, "interrupted", "", False),
    ("regenerate/msg-1", "failed", "", False),
    ("edit/msg-1", "failed", "par", True),
    (JSON, "complete", "A", True),
    (JSON, "cancelled", "par", True),
    (JSON, "cancelled", "", False),
    (JSON, "failed", "par", False),
    (JSON, "interrupted", "par", False),
    (JSON, "failed", "", False),
]


@pytest.mark.parametrize(("route", "status", "text", "kept"), ENDS)
def test_an_answer_keeps_its_key_and_a_failure_frees_it(route: str, status: str, text: str, kept: bool) -> None:
    end(start(keyed("a", route=route)), text, status)
    assert IdempotencyKey.objects.get().released is not kept


@pytest.mark.parametrize(("route", "status", "text", "kept"), ENDS)
def test_a_freed_key_may_stand_for_anything(route: str, status: str, text: str, kept: bool) -> None:
    end(start(keyed("a", route=route)), text, status)
    other = a_turn("b", claim=a_claim(route=route, body="other"))
    if kept:
        with pytest.raises(KeyReused):
            start(other)
    else:
        assert start(other).fresh


def test_a_stream_that_had_been_answered_keeps_its_key() -> None:
    end(start(keyed("a")), status="failed", begun=True)
    assert not IdempotencyKey.objects.get().released


def test_a_stream_that_its_client_left_before_it_began_frees_its_key() -> None:
    end(start(keyed("a")), status="cancelled", abandoned=True)
    assert IdempotencyKey.objects.get().released


def test_a_stream_that_its_client_left_after_it_began_keeps_its_key() -> None:
    end(start(keyed("a")), "par", status="cancelled", abandoned=True)
    assert not IdempotencyKey.objects.get().released


def test_a_freed_key_is_nobodys_repetition() -> None:
    end(start(keyed("a")), status="failed")
    assert replay(keyed("a")) is None


def test_a_freed_key_stands_for_the_turn_that_takes_it() -> None:
    end(start(keyed("a")), status="failed")
    again = start(keyed("a"))
    assert start(keyed("a")).message_id == again.message_id


# -- the same request once more after its key was freed


def questions() -> list[str]:
    return list(Message.objects.filter(role="user").order_by("pk").values_list("content", flat=True))


def test_it_answers_the_same_question() -> None:
    end(start(keyed("a")), status="failed")
    again = start(keyed("a"))
    assert (again.fresh, questions(), path_above(again)) == (True, ["a"], ["a"])


def test_it_answers_the_same_question_of_a_conversation_that_was_given_no_name() -> None:
    first = start(keyed("a", conversation_id=None))
    end(first, status="failed")
    again = start(keyed("a", conversation_id=None))
    assert (again.conversation_id, questions()) == (first.conversation_id, ["a"])


def test_it_answers_the_same_question_beside_a_reply_with_text() -> None:
    first = start(keyed("a", route=JSON))
    end(first, "par", "failed")
    again = start(keyed("a", route=JSON))
    end(again, "A")
    assert (questions(), shown()) == (["a"], ["a", "> A"])


def test_a_reply_beside_another_is_told_the_path_without_it() -> None:
    end(start(keyed("a", route=JSON)), "par", "failed")
    assert start(keyed("a", route=JSON)).messages == [user("a")]


def test_a_reply_beside_another_that_ends_without_text_shows_the_other_again() -> None:
    end(start(keyed("a", route=JSON)), "par", "failed")
    end(start(keyed("a", route=JSON)), status="failed")
    assert shown() == ["a", "> par"]


def test_it_answers_the_same_question_of_a_whole_list() -> None:
    end(start(a_turn("a")), "A")
    end(start(keyed("a", "b")), status="failed")
    start(keyed("a", "b"))
    assert questions() == ["a", "b"]


def test_it_answers_the_same_question_of_what_was_brought_along() -> None:
    end(start(keyed("a", assistant("A"), "b")), status="failed")
    start(keyed("a", assistant("A"), "b"))
    assert questions() == ["a", "b"]


def test_it_answers_the_same_question_of_a_new_beginning() -> None:
    end(start(a_turn("a")), "A")
    end(start(keyed("x", parent_id=None)), status="failed")
    start(keyed("x", parent_id=None))
    assert questions() == ["a", "x"]


def test_it_answers_the_same_question_on_a_path_that_is_not_shown_any_more() -> None:
    first = start(a_turn("a"))
    end(first, "A")
    end(start(keyed("b", parent_id=first.message_id)), status="failed")
    end(start(a_turn("x", parent_id=None)), "X")
    again = start(keyed("b", parent_id=first.message_id))
    assert (questions(), path_above(again)) == (["a", "b", "x"], ["a", "A", "b"])


def test_it_answers_the_same_edited_question() -> None:
    end(start(a_turn("a")), "A")
    target = Message.objects.get(content="a").public_id
    end(start(edit(target, "a2", claim=a_claim(route="edit/1"))), status="failed")
    start(edit(target, "a2", claim=a_claim(route="edit/1")))
    assert questions() == ["a", "a2"]


def test_it_regenerates_the_same_reply() -> None:
    first = start(a_turn("a"))
    end(first, "A")
    turn = regenerate(first.message_id, claim=a_claim(route="regenerate/1"))
    end(start(turn), status="failed")
    assert path_above(start(turn)) == ["a"]


def test_it_is_a_new_turn_once_the_question_is_not_the_newest() -> None:
    end(start(keyed("a", route=JSON)), "par", "failed")
    end(start(a_turn("b")), "B")
    start(keyed("a", route=JSON))
    assert questions() == ["a", "b", "a"]


def test_it_is_a_new_turn_once_another_question_stands_below() -> None:
    end(start(keyed("a")), status="failed")
    end(start(a_turn("b")), "B")
    start(keyed("a"))
    assert questions() == ["a", "b", "a"]


def test_it_keeps_the_instructions_of_the_repeated_request() -> None:
    end(start(keyed("a", instructions="Be brief.")), status="failed")
    assert start(keyed("a", instructions="Be brief.")).instructions == "Be brief."
