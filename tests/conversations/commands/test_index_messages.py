"""`manage.py index_messages`: what the search index does not have yet."""

from __future__ import annotations

import pytest

from conversations.commands.doctor import storage
from conversations.management.commands import index_messages
from conversations.models import Conversation, Message, SearchEntry
from conversations.store import unindexed
from conversations.store.endings import lock_conversations
from conversations.store.indexing import index_title
from conversations.store.search import having, rare
from tests.conversations.commands.running import run
from tests.conversations.stored import a_turn, converse, start

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def forgotten() -> None:
    """Two conversations, one with a title of its own, and a search index that knows nothing of them."""
    converse(("what are tries", "trees of prefixes"))
    converse(("what are heaps", "!?"), conversation_id="session-2")
    Conversation.objects.filter(public_id="session-2").update(title="Priorities")
    SearchEntry.objects.all().delete()


def found(*words: str) -> list[str]:
    keys = rare(words, None) or set()
    return sorted(Conversation.objects.filter(pk__in=keys).values_list("public_id", flat=True))


def test_it_lets_messages_be_found() -> None:
    assert found("prefixes") == []
    run("index_messages")
    assert found("prefixes") == ["session-1"]


def test_it_lets_titles_be_found() -> None:
    run("index_messages")
    assert found("priorities") == ["session-2"]


def test_it_says_what_it_indexed() -> None:
    assert run("index_messages").out == "3 messages and 1 titles indexed.\n"


def test_it_finds_nothing_to_do_the_second_time() -> None:
    run("index_messages")
    assert run("index_messages").out == "0 messages and 0 titles indexed.\n"


def test_it_only_says_what_it_would_index() -> None:
    assert run("index_messages", "--dry-run").out == "3 messages and 1 titles would be indexed.\n"
    assert not SearchEntry.objects.exists()


def test_it_works_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_messages, "AT_ONCE", 1)
    assert run("index_messages").out == "3 messages and 1 titles indexed.\n"


def test_it_leaves_alone_what_is_there() -> None:
    conversation = Conversation.objects.get(public_id="session-2")
    index_title(conversation.pk, "Queues", conversation.opening)
    run("index_messages")
    assert having(["queues"], [conversation.pk]) == {conversation.pk}


def test_it_leaves_replies_under_way_to_their_workers() -> None:
    begun = start(a_turn("another question"))
    run("index_messages")
    assert not SearchEntry.objects.filter(pk=begun.message_pk).exists()


def test_it_indexes_nothing_that_is_erased_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """As another process may, before the conversation's lock is ours."""

    def erase_first(keys: set[int]) -> None:
        Message.objects.filter(content="trees of prefixes").delete()
        lock_conversations(keys)

    monkeypatch.setattr(unindexed, "lock_conversations", erase_first)
    run("index_messages")
    assert found("prefixes") == []


def test_it_tells_how_far_it_came() -> None:
    assert "Messages looked at: 4 of 4" in run("index_messages").err


def test_the_doctor_names_it() -> None:
    (finding,) = storage.searchable()
    assert (finding.level, finding.mend) == ("warning", "Run manage.py index_messages.")


def test_the_doctor_is_content_afterwards() -> None:
    run("index_messages")
    assert [finding.level for finding in storage.searchable()] == ["ok"]
