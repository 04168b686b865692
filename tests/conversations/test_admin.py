from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from knox.models import AuthToken
from pytest_django import DjangoAssertNumQueries

from conversations.admin import lists
from conversations.models import Attempt, Conversation, DailyUsage, Message, User
from conversations.store.indexing import index_texts, index_title

pytestmark = pytest.mark.django_db

TITLE = "My secret title"
SECRET = "the words that were said"
INSTRUCTIONS = "be a secret agent"
PUBLIC_ID = "session-1764021234567" + "9" * 25
MESSAGE_ID = "msg-1764021234567" + "8" * 25


@pytest.fixture(autouse=True)
def fresh_cache() -> None:
    cache.clear()


@pytest.fixture
def conversation() -> Conversation:
    conversation = Conversation.objects.create(
        public_id=PUBLIC_ID, title=TITLE, opening="An opening", instructions=INSTRUCTIONS, message_count=1
    )
    message = Message.objects.create(
        public_id=MESSAGE_ID, conversation=conversation, role="assistant", content=f"{SECRET}\n<script>", model="gpt-4o"
    )
    index_texts([(message.pk, conversation.pk, SECRET)])
    index_title(conversation.pk, TITLE, "An opening")
    Attempt.objects.create(message=message, provider="gpt", model="gpt-4o", outcome="complete", duration_ms=5)
    return conversation


@pytest.fixture
def message(conversation: Conversation) -> Message:
    return conversation.messages.get()


def staff(*permissions: str) -> Client:
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def operator() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("operator"))
    return client


SUPPORT_PERMISSIONS = ("view_conversation", "change_conversation", "view_message", "view_attempt")


@pytest.fixture
def support() -> Client:
    """Looks after conversations without reading them."""
    return staff(*SUPPORT_PERMISSIONS)


def pages(conversation: Conversation) -> list[str]:
    base = "/admin/conversations"
    message = conversation.messages.get()
    return [
        f"{base}/conversation/",
        f"{base}/conversation/?q=secret",
        f"{base}/conversation/{conversation.pk}/change/",
        f"{base}/conversation/{conversation.pk}/history/",
        f"{base}/message/",
        f"{base}/message/?conversation__id__exact={conversation.pk}",
        f"{base}/message/{message.pk}/change/",
        f"{base}/message/{message.pk}/history/",
        f"{base}/attempt/",
        f"{base}/attempt/{message.attempts.get().pk}/change/",
    ]


def test_it_shows_every_page(operator: Client, conversation: Conversation) -> None:
    DailyUsage.objects.create(day="2026-01-05", provider="gpt", model="gpt-4o", requests=1)
    others = ["/admin/", "/admin/conversations/dailyusage/", "/admin/conversations/user/", "/admin/knox/authtoken/"]
    answers = {path: operator.get(path).status_code for path in [*pages(conversation), *others]}
    assert set(answers.values()) == {200}, answers


def test_it_shows_a_transcript_to_a_reader(operator: Client, conversation: Conversation) -> None:
    page = operator.get(f"/admin/conversations/conversation/{conversation.pk}/change/").content.decode()
    assert [text in page for text in (SECRET, TITLE, INSTRUCTIONS)] == [True, True, True]


def test_it_shows_contents_as_text_only(operator: Client, conversation: Conversation) -> None:
    page = operator.get(f"/admin/conversations/conversation/{conversation.pk}/change/").content.decode()
    assert "&lt;script&gt;" in page


def test_it_shows_contents_to_staff_with_the_permission(conversation: Conversation) -> None:
    reader = staff(*SUPPORT_PERMISSIONS, "view_contents")
    assert SECRET in reader.get(f"/admin/conversations/conversation/{conversation.pk}/change/").content.decode()


def test_it_hides_contents_from_all_others(support: Client, conversation: Conversation) -> None:
    for path in pages(conversation):
        response = support.get(path)
        page = response.content.decode()
        assert response.status_code == 200, path
        found = [text for text in (SECRET, TITLE, "An opening", INSTRUCTIONS, PUBLIC_ID, MESSAGE_ID) if text in page]
        assert found == [], path


def test_it_does_not_find_contents_for_all_others(support: Client, conversation: Conversation) -> None:
    page = support.get("/admin/conversations/conversation/?q=secret").content.decode()
    assert PUBLIC_ID[:12] not in page


def test_it_finds_a_conversation_by_its_title(operator: Client, conversation: Conversation) -> None:
    page = operator.get("/admin/conversations/conversation/?q=secret").content.decode()
    assert PUBLIC_ID in page


@pytest.mark.parametrize(("query", "found"), [(PUBLIC_ID, True), (PUBLIC_ID[:-1], False)])
def test_it_finds_a_conversation_by_its_whole_id(
    support: Client, conversation: Conversation, query: str, found: bool
) -> None:
    page = support.get(f"/admin/conversations/conversation/?q={query}").content.decode()
    assert (f"{PUBLIC_ID[:12]}…" in page) is found


@pytest.mark.parametrize(("archived", "found"), [("0", True), ("1", False)])
def test_it_filters_conversations(operator: Client, conversation: Conversation, archived: str, found: bool) -> None:
    page = operator.get(f"/admin/conversations/conversation/?archived__exact={archived}").content.decode()
    assert (PUBLIC_ID in page) is found


def test_it_filters_conversations_by_the_last_status(operator: Client, conversation: Conversation) -> None:
    assert PUBLIC_ID not in operator.get("/admin/conversations/conversation/?last_status=failed").content.decode()


def change(client: Client, conversation: Conversation, **values: str) -> Conversation:
    response = client.post(f"/admin/conversations/conversation/{conversation.pk}/change/", values)
    assert response.status_code == 302
    return Conversation.objects.get()


def test_it_changes_title_and_archived(operator: Client, conversation: Conversation) -> None:
    changed = change(operator, conversation, title="Better", archived="on")
    assert (changed.title, changed.archived) == ("Better", True)


def test_it_brings_the_first_title_back(operator: Client, conversation: Conversation) -> None:
    assert change(operator, conversation, title="").title == "An opening"


def test_it_changes_nothing_else(operator: Client, conversation: Conversation) -> None:
    changed = change(operator, conversation, title="x", public_id="y", instructions="z", message_count="9")
    assert (changed.public_id, changed.instructions, changed.message_count) == (PUBLIC_ID, INSTRUCTIONS, 1)


def test_it_writes_only_what_was_changed(operator: Client, conversation: Conversation) -> None:
    """A reply that ends while the page is open has counted its tokens meanwhile."""
    with CaptureQueriesContext(
        connection,
    ) as queries:
        change(operator, conversation, title=TITLE, archived="on")
    updates = [query["sql"] for query in queries if query["sql"].startswith('UPDATE "conversations_conversation"')]
    assert ["message_count" in sql for sql in updates] == [False]


def test_it_archives_without_reading_and_loses_nothing(support: Client, conversation: Conversation) -> None:
    changed = change(support, conversation, archived="on", title="overwritten")
    assert (changed.archived, changed.title, changed.instructions) == (True, TITLE, INSTRUCTIONS)


@pytest.mark.parametrize("model", ["message", "attempt", "dailyusage"])
def test_it_lets_nobody_add(operator: Client, model: str) -> None:
    assert operator.get(f"/admin/conversations/{model}/add/").status_code == 403


def test_it_lets_nobody_rewrite_a_message(operator: Client, message: Message) -> None:
    response = operator.post(f"/admin/conversations/message/{message.pk}/change/", {"content": "rewritten"})
    assert response.status_code == 403
    assert Message.objects.get().content == message.content


@pytest.mark.parametrize("model", ["conversation", "message", "user"])
def test_it_lets_nobody_delete(operator: Client, conversation: Conversation, model: str) -> None:
    rows = {"conversation": conversation, "message": conversation.messages.get(), "user": User.objects.get()}
    path = f"/admin/conversations/{model}/{rows[model].pk}/delete/"
    assert operator.post(path, {"post": "yes"}).status_code == 403


def test_it_revokes_a_token(operator: Client) -> None:
    stored, _ = AuthToken.objects.create(user=User.objects.get())
    operator.post(f"/admin/knox/authtoken/{stored.pk}/delete/", {"post": "yes"})
    assert AuthToken.objects.count() == 0


def test_it_makes_no_token(operator: Client) -> None:
    assert operator.get("/admin/knox/authtoken/add/").status_code == 403


def test_it_never_counts_all_rows(
    operator: Client, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "COUNTED_ROWS", 77)
    for model in ("conversation", "message", "attempt", "user"):
        with CaptureQueriesContext(connection) as queries:
            operator.get(f"/admin/conversations/{model}/")
        counts = [query["sql"] for query in queries if "COUNT(*)" in query["sql"]]
        assert {"LIMIT 78" in sql for sql in counts} == {True}, model


def test_it_reads_no_row_by_row(
    operator: Client, conversation: Conversation, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        Message.objects.create(public_id=f"msg-{number}", conversation=conversation, role="user", content="x")
    with django_assert_max_num_queries(8):
        operator.get("/admin/conversations/message/")


def test_it_lets_no_stranger_in(conversation: Conversation) -> None:
    assert [Client().get(path).status_code for path in pages(conversation)] == [302] * 10


def test_it_says_plainly_what_is_not_permitted(conversation: Conversation) -> None:
    response = staff("view_attempt").get("/admin/conversations/conversation/")
    assert (response.status_code, "You have no permission for this page" in response.content.decode()) == (403, True)
