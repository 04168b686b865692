from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conversations.admin.messages import EXCERPT_LENGTH
from conversations.models import Message
from tests.conversations.admin.people import page, page_of, staff
from tests.conversations.admin.plans import plan_of
from tests.conversations.stored import a_turn, converse, start

pytestmark = pytest.mark.django_db

MESSAGES = "/admin/conversations/message/"


def test_it_shows_beginnings_without_reading_the_rest() -> None:
    converse(("question", "x" * EXCERPT_LENGTH + "the end"))
    client = staff("view_message", "view_contents")
    with CaptureQueriesContext(connection) as queries:
        html = page(client, MESSAGES)
    assert "x" * EXCERPT_LENGTH in html
    assert [query for query in queries if '"content", "' in query["sql"]] == []


def test_it_reads_no_beginnings_for_those_who_may_not() -> None:
    converse(("secret question", "secret answer"))
    with CaptureQueriesContext(connection) as queries:
        assert "secret" not in page(staff("view_message"), MESSAGES)
    assert [query for query in queries if '"content"' in query["sql"]] == []


def test_it_leads_to_its_place_in_the_conversation() -> None:
    (begun,) = converse(("question", "answer"))
    conversation = Message.objects.get(pk=begun.message_pk).conversation
    address = f"{page_of(conversation)}?at={begun.message_pk}#m-{begun.message_pk}"
    assert address in page(staff("view_message"), f"{MESSAGES}{begun.message_pk}/change/")


def test_it_renders_markdown_on_the_page_of_a_message() -> None:
    (begun,) = converse(("question", "**bold** <script>alert(1)</script>"))
    html = page(staff("view_message", "view_contents"), f"{MESSAGES}{begun.message_pk}/change/")
    assert "<strong>bold</strong>" in html
    assert "<script>alert(1)" not in html


def test_it_filters_by_feedback() -> None:
    converse(("question", "good answer"), ("question", "bad answer"))
    Message.objects.filter(content="bad answer").update(feedback_rating="down")
    html = page(staff("view_message", "view_contents"), f"{MESSAGES}?feedback_rating=down")
    assert ("bad answer" in html, "good answer" in html) == (True, False)


@pytest.mark.parametrize(
    ("query", "expected"), [("failed", "bad answer"), ("complete", "good answer"), ("streaming", "(no text)")]
)
def test_it_filters_by_status(query: str, expected: str) -> None:
    converse(("question", "good answer"), ("question", "bad answer"))
    Message.objects.filter(content="bad answer").update(status="failed")
    start(a_turn("question"))
    html = page(staff("view_message", "view_contents"), f"{MESSAGES}?status={query}&role=assistant")
    assert [text for text in ("good answer", "bad answer", "(no text)") if text in html] == [expected]


@pytest.mark.parametrize(
    ("query", "index"), [("?feedback_rating=down", "message_rated"), ("?status=failed", "message_troubled")]
)
def test_it_looks_up_what_is_rare(query: str, index: str) -> None:
    converse(("question", "answer"))
    client = staff("view_message")
    with CaptureQueriesContext(connection) as queries:
        page(client, MESSAGES + query)
    asked = [each["sql"] for each in queries if '"conversations_message"' in each["sql"]]
    assert asked
    assert [sql for sql in asked if not any(index in plan for plan in plan_of(sql))] == []


def test_it_counts_without_reading_texts() -> None:
    converse(("question", "answer"))
    client = staff("view_message", "view_contents")
    with CaptureQueriesContext(connection) as queries:
        page(client, MESSAGES)
    assert [each["sql"] for each in queries if "COUNT" in each["sql"] and "content" in each["sql"]] == []
