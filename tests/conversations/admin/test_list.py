from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conversations.admin import actions, lists, searching
from conversations.models import Conversation, DailyUsage, Message, User
from conversations.store import search
from tests.conversations.admin.people import LIST, operator, page, staff
from tests.conversations.admin.plans import know_tables, plan_of
from tests.conversations.stored import a_turn, end, start

pytestmark = pytest.mark.django_db


def said(conversation_id: str, *models: tuple[str, str], text: str = "hello", **fields: object) -> Conversation:
    """A conversation with a reply of each of these models, 1000 tokens read and 100 written for each."""
    for provider, model in models:
        begun = start(a_turn(text, conversation_id=conversation_id))
        end(begun, f"an answer to {text}", provider=provider, model=model, input_tokens=1000, output_tokens=100)
    Conversation.objects.filter(public_id=conversation_id).update(**fields)
    return Conversation.objects.get(public_id=conversation_id)


GPT, CLAUDE, HOUSE = ("gpt", "gpt-4o"), ("claude", "claude-3-5-sonnet-latest"), ("gpt", "llama-of-the-house")


def row(html: str, conversation: Conversation) -> str:
    rows = re.findall(r"<tr.*?</tr>", html, re.DOTALL)
    found = [each for each in rows if f'title="{conversation.public_id}"' in each]
    return re.sub(r"\s+", " ", found[0]) if found else ""


def listed(conversation: Conversation) -> str:
    return row(page(operator(), LIST), conversation)


def test_it_tells_every_model_that_answered() -> None:
    conversation = said("session-1", GPT, GPT, CLAUDE)
    assert "gpt-4o, claude-3-5-sonnet-latest" in listed(conversation)


def test_it_tells_every_provider_that_answered() -> None:
    assert ">gpt, claude</small>" in listed(said("session-1", GPT, GPT, CLAUDE))


def test_it_tells_the_cost() -> None:
    assert "$0.0035" in listed(said("session-1", GPT))


def test_it_does_not_take_unknown_for_free() -> None:
    found = listed(said("session-1", HOUSE))
    assert "unknown" in found
    assert "$" not in found


def test_it_does_not_take_what_is_not_counted_yet_for_free() -> None:
    begun = start(a_turn("hello"))
    Message.objects.filter(pk=begun.message_pk).update(provider="gpt", model="gpt-4o")
    found = listed(Conversation.objects.get())
    assert "unknown" in found
    assert "$" not in found


def test_it_says_where_a_part_of_the_cost_is_unknown() -> None:
    assert "$0.0035 + unknown" in listed(said("session-1", GPT, HOUSE))


def test_it_tells_messages_tokens_and_status() -> None:
    found = listed(said("session-1", GPT, GPT, last_status="failed"))
    assert re.findall(r'data-label="(?:messages|tokens)">([^<]*)<', found) == ["4", "2,200"]
    assert "failed" in found


def queries_of(path: str = LIST) -> list[str]:
    client = operator() if not User.objects.filter(username="operator").exists() else staff()
    client.force_login(User.objects.get(username="operator"))
    client.get(path)  # content types and permissions are remembered from the first time on
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return [query["sql"] for query in queries]


def test_it_asks_as_much_for_forty_rows_as_for_one() -> None:
    said("session-0", GPT)
    one = len(queries_of())
    for number in range(1, 40):
        said(f"session-{number}", GPT, CLAUDE, owner=User.objects.create_user(f"user-{number}"))
    assert len(queries_of()) == one


NARROWED = ["?q=hello", "?last_status=complete", "?owner=ada", "?provider=gpt", "?model=gpt-4o", "?o=3"]


@pytest.mark.parametrize("query", ["", *NARROWED])
def test_it_reads_no_message_bodies(query: str) -> None:
    said("session-1", GPT)
    columns = ('"conversations_message"."content"', '"conversations_conversation"."instructions"')
    assert [sql for sql in queries_of(LIST + query) if any(column in sql for column in columns)] == []


@pytest.mark.parametrize("query", ["", *NARROWED, "?_facets=True"])
def test_it_never_counts_all_rows(query: str) -> None:
    said("session-1", GPT)
    counts = [sql for sql in queries_of(LIST + query) if "COUNT(*)" in sql]
    assert [sql for sql in counts if "LIMIT" not in sql] == []


@pytest.mark.parametrize("query", ["", "?provider=gpt&model=gpt-4o"])
def test_it_reads_of_messages_only_the_index(query: str) -> None:
    """What is under the list may be long; the index has what the columns tell."""
    conversation = said("session-1", GPT)
    texts = ("long " * 400 for _ in range(500))
    Message.objects.bulk_create(
        Message(public_id=f"m{at}", conversation=conversation, role="user", content=text)
        for at, text in enumerate(texts)
    )
    know_tables()
    asked = [sql for sql in queries_of(LIST + query) if '"conversations_message"' in sql]
    plans = [plan.replace('"', "") for sql in asked for plan in plan_of(sql)]
    read = [plan for plan in plans if "conversations_message" in plan]
    assert read
    from_index = re.compile("(Index Only Scan.* using|COVERING INDEX) message_spending")
    assert [plan for plan in read if not from_index.search(plan)] == []


def test_it_says_where_it_stopped_counting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "COUNTED_ROWS", 2)
    for number in range(3):
        said(f"session-{number}", GPT)
    assert "2+ conversations" in " ".join(page(operator(), LIST).split())


def test_it_counts_to_the_end_what_is_few() -> None:
    said("session-1", GPT)
    html = " ".join(page(operator(), LIST).split())
    assert "1 conversation" in html
    assert "1+" not in html


def test_it_offers_to_show_all_only_where_some_are_left_out() -> None:
    said("session-1", GPT)
    client = operator()
    assert "Show all" not in page(client, LIST)
    assert "Show all" in page(client, f"{LIST}?provider=claude")


def found(query: str) -> list[str]:
    html = page(operator(), LIST + query)
    return [each.public_id for each in Conversation.objects.order_by("pk") if row(html, each)]


def test_it_finds_words_of_messages() -> None:
    said("session-1", GPT, text="about tries")
    said("session-2", GPT, text="about heaps")
    assert found("?q=trie") == ["session-1"]


ONLY_THE_NEWEST = "only the newest"


def test_it_says_where_only_the_newest_were_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "CANDIDATES", 1)
    monkeypatch.setattr(search, "NEWEST", 1)
    said("session-1", GPT, text="about tries", last_activity_at=datetime(2026, 3, 1, tzinfo=UTC))
    said("session-2", GPT, text="about tries", last_activity_at=datetime(2026, 3, 2, tzinfo=UTC))
    html = page(operator(), f"{LIST}?q=tries")
    assert html.count(ONLY_THE_NEWEST) == 1
    assert "session-2" in html
    assert "session-1" not in html


@pytest.mark.parametrize("word", ["tries", "tri"])
def test_it_says_nothing_of_the_kind_where_all_were_looked_through(word: str) -> None:
    said("session-1", GPT, text="about tries")
    assert ONLY_THE_NEWEST not in page(operator(), f"{LIST}?q={word}")


def test_it_looks_for_short_beginnings_among_the_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A beginning of a letter or two would have to be gathered from nearly everything."""
    monkeypatch.setattr(search, "NEWEST", 1)
    monkeypatch.setattr(searching, "ENOUGH", 1)
    said("session-1", GPT, text="about tries", last_activity_at=datetime(2026, 3, 1, tzinfo=UTC))
    said("session-2", GPT, text="about tries", last_activity_at=datetime(2026, 3, 2, tzinfo=UTC))
    assert found("?q=tri") == ["session-2"]


def test_it_looks_for_longer_beginnings_among_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "NEWEST", 1)
    said("session-1", GPT, text="about tries", last_activity_at=datetime(2026, 3, 1, tzinfo=UTC))
    said("session-2", GPT, text="about tries", last_activity_at=datetime(2026, 3, 2, tzinfo=UTC))
    assert found("?q=trie") == ["session-1", "session-2"]


def test_it_finds_by_a_whole_id() -> None:
    said("session-1", GPT)
    said("session-12", GPT)
    assert found("?q=session-1") == ["session-1"]


def test_it_finds_no_words_for_those_who_may_not_read_them() -> None:
    said("session-1", GPT, text="about tries")
    client = staff("view_conversation")
    assert "sess…" in page(client, f"{LIST}?q=session-1")
    assert "sess…" not in page(client, f"{LIST}?q=tries")


def test_it_filters_by_provider() -> None:
    said("session-1", GPT)
    said("session-2", CLAUDE)
    assert found("?provider=claude") == ["session-2"]


def test_it_filters_by_a_provider_whose_reply_is_not_the_last() -> None:
    said("session-1", CLAUDE, GPT)
    said("session-2", GPT)
    assert found("?provider=claude") == ["session-1"]


def test_it_filters_by_model() -> None:
    said("session-1", GPT)
    said("session-2", HOUSE)
    assert found("?model=llama-of-the-house") == ["session-2"]


def test_it_filters_by_a_model_on_another_branch() -> None:
    conversation = said("session-1", HOUSE)
    Message.objects.filter(conversation=conversation, role="assistant").update(active=False)
    assert found("?model=llama-of-the-house") == ["session-1"]


def test_it_offers_models_that_answered_lately() -> None:
    DailyUsage.objects.create(day=datetime.now(UTC).date(), provider="gpt", model="llama-of-the-house", requests=1)
    assert 'value="llama-of-the-house"' in page(operator(), LIST)


@pytest.mark.parametrize(("status", "expected"), [("failed", "session-2"), ("complete", "session-1")])
def test_it_filters_by_status(status: str, expected: str) -> None:
    said("session-1", GPT)
    said("session-2", GPT, last_status="failed")
    assert found(f"?last_status={status}") == [expected]


def test_it_filters_by_what_is_under_way() -> None:
    said("session-1", GPT)
    start(a_turn("hello", conversation_id="session-2"))
    assert found("?last_status=streaming") == ["session-2"]


@pytest.mark.parametrize(
    ("query", "index"), [("?last_status=failed", "conversation_troubled"), ("?q=session-1", "conversation_by_id")]
)
def test_it_looks_up_what_is_rare(query: str, index: str) -> None:
    said("session-1", GPT, last_status="failed")
    plans = [plan for sql in queries_of(LIST + query) if sql.startswith("SELECT") for plan in plan_of(sql)]
    assert [plan for plan in plans if index in plan]


@pytest.mark.parametrize(("name", "expected"), [("ad", ["session-1"]), ("ADA", ["session-1"]), ("nobody", [])])
def test_it_filters_by_owner(name: str, expected: list[str]) -> None:
    said("session-1", GPT, owner=User.objects.create_user("ada"))
    said("session-2", GPT, owner=User.objects.create_user("grace"))
    assert found(f"?owner={name}") == expected


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ("last_activity_at_from=2026-03-02", ["session-2"]),
        ("last_activity_at_to=2026-03-01", ["session-1"]),
        ("last_activity_at_from=2026-03-01&last_activity_at_to=2026-03-02", ["session-1", "session-2"]),
        ("last_activity_at_from=2026-02-30", []),
        ("last_activity_at_from=whenever", ["session-1", "session-2"]),
        ("last_activity_at_from=0001-01-01&last_activity_at_to=9999-12-31", ["session-1", "session-2"]),
    ],
)
def test_it_filters_by_days_and_includes_both_ends(days: str, expected: list[str]) -> None:
    said("session-1", GPT, last_activity_at=datetime(2026, 3, 1, 23, 59, tzinfo=UTC))
    said("session-2", GPT, last_activity_at=datetime(2026, 3, 2, 0, 0, tzinfo=UTC))
    assert found(f"?{days}") == expected


def act(
    name: str, *rows: Conversation, permissions: tuple[str, ...] = ("view_conversation", "change_conversation")
) -> int:
    data = {"action": name, "_selected_action": [str(each.pk) for each in rows]}
    return staff(*permissions).post(LIST, data).status_code


def test_it_archives_and_brings_back() -> None:
    one, two = said("session-1", GPT), said("session-2", GPT)
    act("archive", one, two)
    assert Conversation.objects.filter(archived=True).count() == 2
    act("unarchive", one)
    assert list(Conversation.objects.filter(archived=True)) == [two]


def test_it_archives_many_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "ARCHIVED_AT_ONCE", 2)
    act("archive", *(said(f"session-{number}", GPT) for number in range(5)))
    assert Conversation.objects.filter(archived=True).count() == 5


def test_it_archives_nothing_without_the_permission() -> None:
    act("archive", said("session-1", GPT), permissions=("view_conversation",))
    assert not Conversation.objects.filter(archived=True).exists()


def test_it_marks_what_is_archived() -> None:
    assert ">archived<" in listed(said("session-1", GPT, archived=True))


def test_it_shows_titles_as_text() -> None:
    said("session-1", GPT, title="<img src=x onerror=alert(1)>")
    assert "<img src=x" not in page(operator(), LIST)


def test_it_counts_models_over_all_branches() -> None:
    conversation = said("session-1", GPT)
    Message.objects.filter(role="assistant").update(active=False)
    assert "gpt-4o" in listed(conversation)
