from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conversations.admin.messages import EXCERPT_LENGTH
from conversations.models import Message
from tests.conversations.admin.people import page, page_of, staff
from tests.conversations.stored import converse

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
