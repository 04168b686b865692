"""What a page costs: as many queries, and the same indexes, however much is stored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.test.utils import CaptureQueriesContext

from conversations import database
from conversations.models import Conversation, Message
from conversations.store import histories, listing, search
from conversations.store.indexing import index_texts
from conversations.store.listing import Position
from tests.conversations.api.people import Person, message

PATHS = {
    "list": "/chat/conversations?limit=5",
    "archive": "/chat/conversations?limit=5&archived=true",
    "rare word": "/chat/conversations?q=needle",
    "two words": "/chat/conversations?q=needle+haystack",
    "no such word": "/chat/conversations?q=nowhere",
    "conversation": "/chat/conversations/session-1",
    "history": "/chat/history/session-1?limit=5",
    "message": "/chat/messages/{}",
}

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What any thread has asked the database since the list was last cleared."""
    asked: list[str] = []
    execute = CursorWrapper.execute

    def noted(self: CursorWrapper, sql: Any, params: Any = None) -> Any:
        asked.append(str(sql))
        return execute(self, sql, params)

    monkeypatch.setattr(CursorWrapper, "execute", noted)
    return asked


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
async def test_a_page_takes_as_many_queries_however_much_is_stored(
    owner: Person, statements: list[str], path: str
) -> None:
    await database.write(owner.says, ("needle", "haystack"))
    path = path.format((await database.write(message, "needle")).public_id)
    counts = []
    for more in (0, 3, 30):
        for at in range(more):
            await database.write(owner.says, (f"hay {more}", "stack"), to=f"c{more}-{at}")
        await database.write(owner.says, *((f"Q{at}", f"A{at}") for at in range(more)), to="session-1")
        await owner.get(path)  # from now on the token is known
        statements.clear()
        assert (await owner.get(path)).status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1] == counts[2] <= 4


@pytest.fixture
def thousands(owner: Person, teammate: Person) -> Conversation:
    """Enough for the planner to want an index, and little of it the owner's."""
    owners = [owner.owner_id, *[teammate.owner_id] * 9]
    rows = (
        Conversation(public_id=f"c{at}", owner_id=owners[at % 10], last_activity_at=BEGAN + timedelta(minutes=at))
        for at in range(3000)
    )
    conversations = Conversation.objects.bulk_create(rows)
    said = (
        Message(public_id=f"m{at}", conversation=conversation, role="user", content=f"word{at} common")
        for at, conversation in enumerate(conversations)
    )
    messages = Message.objects.bulk_create(said)
    index_texts([(each.pk, each.conversation_id, each.content) for each in messages])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        if connection.vendor == "postgresql":
            cursor.execute("SELECT gin_clean_pending_list('conversations_searchindex')")
    return conversations[1500]


def plans(read: Callable[[], object]) -> str:
    """How the database goes about each query of `read`."""
    with CaptureQueriesContext(connection) as captured:
        read()
    found: list[str] = []
    with connection.cursor() as cursor:
        for query in captured.captured_queries:
            explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
            if query["sql"].startswith(("SELECT", "\n    SELECT")):
                cursor.execute(f"{explain} {query['sql']}".replace("%", "%%"), [])
                found += [str(row) for row in cursor.fetchall()]
    return "\n".join(found)


def test_the_list_reads_its_index(owner: Person, thousands: Conversation) -> None:
    plan = plans(lambda: listing.page(owner.owner_id or 0, 20, archived=False, words=None, after=None))
    assert "conversation_list" in plan
    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan


def test_a_later_page_begins_in_its_index(owner: Person, thousands: Conversation) -> None:
    after = Position(str(thousands.last_activity_at), thousands.pk)
    plan = plans(lambda: listing.page(owner.owner_id or 0, 20, archived=False, words=None, after=after))
    assert "conversation_list" in plan
    assert "last_activity_at<" in plan or "last_activity_at <=" in plan


def test_the_history_reads_its_index(thousands: Conversation, owner: Person) -> None:
    plan = plans(lambda: histories.page(owner.owner_id, thousands.public_id, 50, None))
    assert "message_history" in plan
    assert "Seq Scan on conversations_message" not in plan


def test_a_rare_word_is_read_from_the_full_text_index(owner: Person, thousands: Conversation) -> None:
    plan = plans(lambda: search.rare(["word1234"], owner.owner_id))
    used = "VIRTUAL TABLE INDEX" if connection.vendor == "sqlite" else "Bitmap Index Scan on conversations_searchindex"
    assert used in plan
    assert "Seq Scan" not in plan
    assert "SCAN e" not in plan


def test_what_a_conversation_says_is_read_by_its_key(thousands: Conversation) -> None:
    plan = plans(lambda: search.having(["common"], [thousands.pk]))
    assert "conversation_id" in plan
    assert "Seq Scan" not in plan
