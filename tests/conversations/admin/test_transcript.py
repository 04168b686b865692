from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conversations.models import Conversation, JournalEntry, Message
from conversations.store import transcripts
from conversations.store.endings import Tried
from tests.conversations.admin.people import operator, page, page_of, reader, staff
from tests.conversations.stored import a_turn, converse, edit, end, regenerate, start

pytestmark = pytest.mark.django_db


def the_one() -> Conversation:
    return Conversation.objects.get()


def bubbles(html: str) -> list[tuple[int, str]]:
    """Key and text of each bubble, in order."""
    articles = re.findall(r'<article id="m-(\d+)"(.*?)</article>', html, re.DOTALL)
    return [(int(key), " ".join(re.sub(r"<[^>]*>", " ", body.split(">", 1)[1]).split())) for key, body in articles]


def texts(html: str, *wanted: str) -> list[str]:
    """Which of these each bubble says."""
    return [next((text for text in wanted if text in body), "?") for _, body in bubbles(html)]


def test_it_reads_like_a_chat() -> None:
    converse(("question one", "answer one"), ("question two", "answer two"))
    html = page(reader(), page_of(the_one()))
    said = ("question one", "answer one", "question two", "answer two")
    assert texts(html, *said) == list(said)


def test_it_renders_what_was_said() -> None:
    converse(("**bold** question", "```python\nx = 1\n```"))
    html = page(reader(), page_of(the_one()))
    assert "<strong>bold</strong>" in html
    assert '<pre data-language="python"><code>x = 1\n</code></pre>' in html


def test_it_lets_no_markup_of_a_message_through() -> None:
    converse(("<script>alert(1)</script>", "[x](javascript:alert(1)) <img src=x onerror=alert(1)>"))
    html = page(reader(), page_of(the_one()))
    assert [bad for bad in ("<script>alert", "<img src=x", 'href="javascript:') if bad in html] == []


@pytest.mark.parametrize("field", ["title", "opening", "instructions", "last_model", "last_status"])
def test_it_shows_every_field_as_text(field: str) -> None:
    converse(("question", "answer"))
    Conversation.objects.update(**{field: "<b>x</b>"[:16]})
    assert "<b>x</b>" not in page(reader(), page_of(the_one()))


@pytest.mark.parametrize(
    "field", ["model", "provider", "error", "finish_reason", "feedback_comment", "request_id", "requested_provider"]
)
def test_it_shows_every_field_of_a_message_as_text(field: str) -> None:
    converse(("question", "answer"))
    Message.objects.update(**{field: "<b>x</b>", "feedback_rating": "up"})
    html = page(reader(), page_of(the_one()))
    assert "<b>x</b>" not in html
    assert "&lt;b&gt;x&lt;/b&gt;" in html


def test_it_tells_what_support_asks_about() -> None:
    begun = start(a_turn("question", request_id="req-7"))
    tried = (
        Tried("gpt", "gpt-4o", "rate_limited", 429, "slow down please", 80),
        Tried("gpt", "gpt-4o-mini", "complete", 200, "", 900),
    )
    numbers: dict[str, Any] = {"input_tokens": 12, "output_tokens": 34, "duration_ms": 2500}
    numbers["time_to_first_token_ms"] = 450
    end(begun, "answer", provider="gpt", model="gpt-4o-mini", attempts=tried, **numbers)
    Message.objects.filter(role="assistant").update(feedback_rating="down", feedback_comment="wrong")
    answer = bubbles(page(reader(), page_of(the_one())))[1][1]
    facts = [
        "gpt-4o-mini",
        "12 → 34 tokens",
        "450 ms",
        "2.5 s",
        "fallback",
        "slow down please",
        "429",
        "wrong",
        "req-7",
    ]
    assert [fact for fact in facts if fact not in answer] == []


def test_it_shows_replies_that_came_to_nothing() -> None:
    begun = start(a_turn("question"))
    end(begun, "", "failed", error="Both models failed.", attempts=(Tried("gpt", "gpt-4o", "timeout", None, "", 9),))
    html = page(reader(), page_of(the_one()))
    assert texts(html, "question", "Both models failed.") == ["question", "Both models failed."]


def test_it_shows_a_failure_before_the_reply_that_came_after_it() -> None:
    end(start(a_turn("question")), "", "failed", error="Both models failed.")
    end(start(a_turn("question")), "answer")
    html = page(reader(), page_of(the_one()))
    said = ("question", "Both models failed.", "answer")
    assert texts(html, *said) == list(said)


def test_it_marks_branches() -> None:
    first, *_ = converse(("question", "one answer"))
    end(start(regenerate(first.message_id)), "another answer")
    html = page(reader(), page_of(the_one()))
    assert texts(html, "question", "another answer") == ["question", "another answer"]
    assert "branch 2 of 2" in bubbles(html)[1][1]
    assert f'href="?at={first.message_pk}#m-{first.message_pk}"' in html


def test_it_shows_another_branch_down_to_its_end() -> None:
    first, *_ = converse(("question", "one answer"), ("follow-up", "later answer"))
    end(start(regenerate(first.message_id)), "another answer")
    html = page(reader(), page_of(the_one(), f"?at={first.message_pk}"))
    said = ("question", "one answer", "follow-up", "later answer")
    assert texts(html, *said) == list(said)


def test_it_shows_other_beginnings() -> None:
    converse(("question", "answer"))
    first = Message.objects.get(content="question")
    end(start(edit(first.public_id, "better question")), "better answer")
    html = page(reader(), page_of(the_one(), f"?at={first.pk}"))
    assert texts(html, "question", "answer") == ["question", "answer"]
    assert "branch 1 of 2" in bubbles(html)[0][1]


def test_it_changes_nothing_by_looking() -> None:
    first, *_ = converse(("question", "one answer"))
    end(start(regenerate(first.message_id)), "another answer")
    before = list(Message.objects.order_by("pk").values())
    page(reader(), page_of(the_one(), f"?at={first.message_pk}"))
    assert list(Message.objects.order_by("pk").values()) == before


def test_it_shows_what_has_come_of_a_reply_under_way() -> None:
    begun = start(a_turn("question"))
    JournalEntry.objects.create(message_id=begun.message_pk, position=0, text="so far")
    html = page(reader(), page_of(the_one()))
    assert "so far" in bubbles(html)[1][1]
    assert "data-streaming" in html


def long_one(count: int) -> Conversation:
    conversation = Conversation.objects.create(public_id="long", message_count=count)
    Message.objects.bulk_create(
        Message(
            pk=1000 + number,
            public_id=f"msg-{number}",
            conversation=conversation,
            parent_id=1000 + number - 1 if number else None,
            role="assistant" if number % 2 else "user",
            content=f"number {number}.",
        )
        for number in range(count)
    )
    return conversation


def keys(html: str) -> list[int]:
    return [key - 1000 for key, _ in bubbles(html)]


def link(html: str, word: str) -> str:
    found = re.search(rf'href="([^"]*)">. {word} messages', html)
    assert found is not None, word
    return found[1].replace("&amp;", "&")


def test_it_shows_the_newest_page_of_a_long_one() -> None:
    assert keys(page(reader(), page_of(long_one(250)))) == list(range(150, 250))


def test_it_turns_pages_without_gap_and_overlap() -> None:
    conversation, client = long_one(250), reader()
    html = page(client, page_of(conversation))
    shown = keys(html)
    while "Older messages" in html:
        html = page(client, page_of(conversation, link(html, "Older")))
        shown = keys(html) + shown
    assert shown == list(range(250))


def test_it_turns_pages_back_again() -> None:
    conversation, client = long_one(250), reader()
    html = page(client, page_of(conversation, "?before=1050"))
    assert keys(html) == list(range(50))
    assert keys(page(client, page_of(conversation, link(html, "Newer")))) == list(range(50, 150))


def test_it_turns_pages_of_another_branch() -> None:
    conversation, client = long_one(250), reader()
    Message.objects.filter(pk__gte=1010).update(active=False)
    html = page(client, page_of(conversation, "?at=1020"))
    assert keys(html)[0] == 0
    assert keys(page(client, page_of(conversation, link(html, "Newer"))))[0] == keys(html)[-1] + 1


def test_it_shows_a_message_with_what_came_before_it() -> None:
    html = page(reader(), page_of(long_one(250), "?at=1100"))
    assert (keys(html)[0], keys(html)[-1]) == (100 - transcripts.BEFORE_TARGET, 179)


@pytest.mark.parametrize(
    "query", ["?at=99999999", "?at=x", "?before=-1", "?after=9e9", "?path=1000000000000000000000", "?at="]
)
def test_it_bears_any_address(query: str) -> None:
    page(reader(), page_of(long_one(5), query))


def test_it_shows_no_other_conversation_under_its_own() -> None:
    converse(("secret question", "secret answer"), conversation_id="other")
    other = Message.objects.get(role="assistant")
    html = page(reader(), page_of(long_one(3), f"?path={other.pk}"))
    assert "secret" not in html


def queries(conversation: Conversation) -> int:
    client = reader()
    page(client, page_of(conversation))
    with CaptureQueriesContext(connection) as captured:
        page(client, page_of(conversation))
    return len(captured)


def test_it_asks_as_much_for_a_hundred_messages_as_for_two() -> None:
    few = queries(long_one(2))
    Message.objects.all().delete()
    Conversation.objects.all().delete()
    assert queries(long_one(100)) == few


CANNOT_READ = [(), ("view_message", "view_contents"), ("view_conversation",), ("change_conversation",)]


@pytest.mark.parametrize("permissions", CANNOT_READ)
def test_it_shows_nothing_said_without_both_permissions(permissions: tuple[str, ...]) -> None:
    converse(("secret question", "secret answer"))
    Conversation.objects.update(instructions="secret instructions")
    assert "secret" not in staff(*permissions).get(page_of(the_one())).content.decode()


def test_it_offers_no_erasing_without_the_permission() -> None:
    converse(("question", "answer"))
    assert "/erase/" not in page(reader(), page_of(the_one()))
    assert "/erase/" in page(operator(), page_of(the_one()))


def test_it_lets_no_page_reach_another_host() -> None:
    converse(("question", "answer"))
    for path in ("/admin/", page_of(the_one())):
        policy = reader().get(path).headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "http" not in policy
