from __future__ import annotations

from typing import Any

import pytest

from conversations.models import Conversation, JournalEntry, Message
from conversations.store.erasing import erase
from tests.conversations.admin.people import LIST, reader, staff
from tests.conversations.stored import a_turn, converse, end, regenerate, start

pytestmark = pytest.mark.django_db


NOTHING = {"bubbles": [], "gone": [], "moved": False, "facts": ""}


def news(query: str = "") -> dict[str, Any]:
    response = reader().get(f"{LIST}{Conversation.objects.get().pk}/live/?{query}")
    assert response.status_code == 200
    return response.json()


def shown(answer: dict[str, Any]) -> dict[int, str]:
    return {bubble["key"]: bubble["html"] for bubble in answer["bubbles"]}


def test_it_lets_a_reply_grow() -> None:
    begun = start(a_turn("question"))
    JournalEntry.objects.create(message_id=begun.message_pk, position=0, text="so ")
    JournalEntry.objects.create(message_id=begun.message_pk, position=3, text="far **good**")
    answer = news(f"last={begun.message_pk}&streaming={begun.message_pk}")
    assert "so far <strong>good</strong>" in shown(answer)[begun.message_pk]
    assert "data-streaming" in shown(answer)[begun.message_pk]


def test_it_tells_the_end_of_a_reply() -> None:
    begun = start(a_turn("question"))
    end(begun, "whole answer")
    html = shown(news(f"last={begun.message_pk}&streaming={begun.message_pk}"))[begun.message_pk]
    assert "whole answer" in html
    assert "data-streaming" not in html


def test_it_tells_what_stands_beside_a_reply_that_ended() -> None:
    begun = start(a_turn("question"))
    end(begun, "whole answer", provider="gpt", model="gpt-4o", input_tokens=1000, output_tokens=100)
    facts = news(f"last={begun.message_pk}&streaming={begun.message_pk}")["facts"]
    assert "complete" in facts
    assert "$0.0035" in facts


def test_it_tells_a_reply_that_came_to_nothing() -> None:
    begun = start(a_turn("question"))
    end(begun, "", "failed", error="Both models failed.")
    answer = news(f"last={begun.message_pk}&streaming={begun.message_pk}")
    assert "Both models failed." in shown(answer)[begun.message_pk]
    assert answer["moved"] is False


def test_it_tells_new_messages() -> None:
    first, second = converse(("one", "first answer"), ("two", "second answer"))
    answer = news(f"last={first.message_pk}")
    assert list(shown(answer)) == [second.message_pk - 1, second.message_pk]


def test_it_tells_nothing_where_nothing_is_new() -> None:
    (only,) = converse(("one", "first answer"))
    assert news(f"last={only.message_pk}") == NOTHING


def test_it_tells_that_another_branch_was_chosen() -> None:
    (only,) = converse(("one", "first answer"))
    start(regenerate(only.message_id))
    assert news(f"last={only.message_pk}")["moved"] is True


def test_it_stays_on_the_branch_that_is_looked_at() -> None:
    (only,) = converse(("one", "first answer"))
    start(regenerate(only.message_id))
    answer = news(f"last={only.message_pk}&path={only.message_pk}")
    assert answer == NOTHING


def test_it_tells_nothing_of_other_conversations() -> None:
    (other,) = converse(("one", "secret"), conversation_id="other")
    mine = Conversation.objects.create(public_id="mine")
    answer = reader().get(f"{LIST}{mine.pk}/live/?last=0&streaming={other.message_pk}&path={other.message_pk}").json()
    assert (answer["bubbles"], answer["gone"]) == ([], [other.message_pk])


@pytest.mark.parametrize("query", ["streaming=x", "last=x", "streaming=99999999999999999999999", "last=-1", "path=x"])
def test_it_bears_any_address(query: str) -> None:
    converse(("one", "first answer"))
    news(query)


def test_it_is_not_there_once_erased() -> None:
    converse(("one", "first answer"))
    key = Conversation.objects.get().pk
    erase(key)
    assert reader().get(f"{LIST}{key}/live/").status_code == 404


@pytest.mark.parametrize("permissions", [(), ("view_contents",), ("view_conversation",), ("change_conversation",)])
def test_it_is_refused_to_those_who_may_not_read(permissions: tuple[str, ...]) -> None:
    converse(("one", "first answer"))
    key = Conversation.objects.get().pk
    assert staff(*permissions).get(f"{LIST}{key}/live/").status_code == 403


def test_it_is_lighter_than_a_page() -> None:
    converse(*[("question", "answer")] * 30)
    last = Message.objects.latest("pk").pk
    assert news(f"last={last}")["bubbles"] == []
