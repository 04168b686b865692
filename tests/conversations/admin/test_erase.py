from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from conversations.admin import erasing
from conversations.models import Attempt, Conversation, DailyUsage, Generation, Message, SearchEntry
from conversations.store.endings import Tried
from tests.conversations.admin.people import LIST, page, staff
from tests.conversations.stored import a_turn, converse, end, start

pytestmark = pytest.mark.django_db

MAY = ("view_conversation", "delete_conversation")
MAY_READ = (*MAY, "view_contents", "change_conversation")


def eraser() -> Client:
    return staff(*MAY)


def address(public_id: str = "session-1") -> str:
    return f"{LIST}{Conversation.objects.get(public_id=public_id).pk}/erase/"


def test_it_asks_before_it_erases() -> None:
    converse(("question", "answer"))
    html = page(eraser(), address())
    assert [words in html for words in ("cannot be undone", "cancelled", "2 in all", "archive it instead")] == [
        True
    ] * 4
    assert Message.objects.count() == 2


def test_it_erases_everything_that_was_said() -> None:
    end(start(a_turn("question")), "answer", attempts=(Tried("gpt", "gpt-4o", "complete", 200, "", 9),))
    converse(("other question", "other answer"), conversation_id="session-2")
    response = eraser().post(address())
    assert (response.status_code, response.headers["Location"]) == (302, LIST)
    assert [each.content for each in Message.objects.order_by("pk")] == ["other question", "other answer"]
    assert (Conversation.objects.count(), Attempt.objects.count(), SearchEntry.objects.count()) == (1, 0, 2)


def test_it_ends_replies_under_way() -> None:
    start(a_turn("question"))
    eraser().post(address())
    assert (Generation.objects.count(), Message.objects.count()) == (0, 0)


def test_it_keeps_the_sums_of_usage() -> None:
    converse(("question", "answer"))
    DailyUsage.objects.create(day="2026-01-05", provider="gpt", model="gpt-4o", requests=1)
    eraser().post(address())
    assert DailyUsage.objects.count() == 1


def test_it_notes_who_erased_and_nothing_of_what_was_said() -> None:
    converse(("question", "answer"))
    client = staff(*MAY_READ)
    key = Conversation.objects.get().pk
    client.post(f"{LIST}{key}/change/", {"title": "a telling title"})
    client.post(address())
    entry = LogEntry.objects.get()
    assert (entry.is_deletion(), entry.object_repr, entry.change_message) == (True, "sess…", "Erased.")


def test_it_logs_no_titles() -> None:
    converse(("question", "answer"))
    staff(*MAY_READ).post(f"{LIST}{Conversation.objects.get().pk}/change/", {"title": "a telling title"})
    assert LogEntry.objects.get().object_repr == "sess…"


@pytest.mark.parametrize("permissions", [(), ("view_conversation", "change_conversation"), ("delete_conversation",)])
def test_it_is_refused_without_the_permission(permissions: tuple[str, ...]) -> None:
    converse(("question", "answer"))
    client = staff(*permissions)
    assert [client.get(address()).status_code, client.post(address()).status_code] == [403, 403]
    assert Message.objects.count() == 2


def test_it_names_nothing_to_those_who_may_not_read() -> None:
    converse(("telling question", "answer"))
    assert "telling" not in page(eraser(), address())
    assert "telling" in page(staff(*MAY_READ), address())


def test_it_is_not_there_twice() -> None:
    converse(("question", "answer"))
    gone = address()
    eraser().post(gone)
    assert eraser().post(gone).status_code == 404


def select(client: Client, **data: str) -> str:
    keys = [str(key) for key in Conversation.objects.values_list("pk", flat=True)]
    return client.post(
        LIST, {"action": "erase_selected", "_selected_action": keys, **data}, follow=True
    ).content.decode()


def test_it_asks_before_it_erases_several() -> None:
    for name in ("session-1", "session-2"):
        converse(("question", "answer"), conversation_id=name)
    assert "These 2 conversations will be erased" in select(eraser())
    assert Conversation.objects.count() == 2


def test_it_erases_several() -> None:
    for name in ("session-1", "session-2"):
        converse(("question", "answer"), conversation_id=name)
    assert "Erased 2 conversations for good." in select(eraser(), confirmed="yes")
    assert Message.objects.count() == 0


def test_it_erases_several_only_with_the_permission() -> None:
    converse(("question", "answer"))
    select(staff("view_conversation", "change_conversation"), confirmed="yes")
    assert Conversation.objects.count() == 1


def test_it_erases_only_so_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "MOST_AT_ONCE", 1)
    for name in ("session-1", "session-2"):
        converse(("question", "answer"), conversation_id=name)
    assert "At most 1" in select(eraser(), confirmed="yes")
    assert Conversation.objects.count() == 2


def test_it_wants_the_form_of_the_page() -> None:
    converse(("question", "answer"))
    careful = Client(enforce_csrf_checks=True)
    careful.cookies = eraser().cookies
    assert careful.post(address()).status_code == 403
    assert Conversation.objects.count() == 1
