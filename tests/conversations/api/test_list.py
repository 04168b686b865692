"""`GET /chat/conversations`: a page of the caller's own conversations."""

from __future__ import annotations

import pytest

from conversations import database
from conversations.models import Conversation
from tests.conversations.api.people import Person, ids_of, many

NEWEST_FIRST = ["c4", "c3", "c2", "c1", "c0"]


@pytest.fixture
def five(owner: Person) -> None:
    many(owner, 5)


async def test_it_lists_the_newest_activity_first(owner: Person, five: None) -> None:
    assert await owner.listed() == NEWEST_FIRST


@pytest.fixture
def spoken(owner: Person) -> None:
    owner.says(("Hello there", "Hi"))


async def test_it_tells_of_each_what_a_list_shows(owner: Person, spoken: None) -> None:
    (entry,) = (await owner.get("/chat/conversations")).json()["conversations"]
    assert {name: entry[name] for name in ("conversation_id", "title", "archived", "status")} == {
        "conversation_id": "session-1",
        "title": "Hello there",
        "archived": False,
        "status": "complete",
    }
    assert entry["created_at"].endswith("Z")
    assert entry["updated_at"] >= entry["created_at"]
    assert len(entry) == 6


async def test_an_empty_conversation_has_no_status(owner: Person, five: None) -> None:
    assert (await owner.get("/chat/conversations")).json()["conversations"][0]["status"] is None


async def test_it_is_the_same_at_the_other_mount(owner: Person, five: None) -> None:
    assert ids_of(await owner.get("/api/v1/chat/conversations/")) == NEWEST_FIRST


async def test_it_lists_nothing_of_others(teammate: Person, five: None) -> None:
    assert await teammate.listed() == []


async def test_it_knows_no_stranger(stranger: Person) -> None:
    assert (await stranger.get("/chat/conversations?limit=x")).status_code == 401


async def test_open_mode_has_no_list(open_mode: None, stranger: Person) -> None:
    answer = await stranger.get("/chat/conversations")
    assert (answer.status_code, answer.json().keys()) == (403, {"error", "details"})


async def test_pages_follow_one_another(owner: Person, five: None) -> None:
    assert await owner.all_pages(limit=2) == [["c4", "c3"], ["c2", "c1"], ["c0"]]


async def test_a_full_last_page_has_no_next(owner: Person, five: None) -> None:
    assert await owner.all_pages(limit=5) == [NEWEST_FIRST]


@pytest.fixture
def at_once(owner: Person) -> None:
    many(owner, 5)
    moment = Conversation.objects.order_by("pk")[0].last_activity_at
    Conversation.objects.update(last_activity_at=moment)


async def test_pages_lose_nothing_that_happened_at_once(owner: Person, at_once: None) -> None:
    assert await owner.all_pages(limit=2) == [["c4", "c3"], ["c2", "c1"], ["c0"]]


async def test_pages_do_not_move_when_others_come(owner: Person, five: None) -> None:
    first = (await owner.get("/chat/conversations?limit=2")).json()
    await database.write(owner.says, ("New", "Yes"), to="new")
    assert await owner.listed(limit=2, cursor=first["next_cursor"]) == ["c2", "c1"]


async def test_a_page_goes_on_where_its_last_was_deleted(owner: Person, five: None) -> None:
    first = (await owner.get("/chat/conversations?limit=2")).json()
    await database.write(Conversation.objects.filter(public_id="c3").delete)
    assert await owner.listed(limit=2, cursor=first["next_cursor"]) == ["c2", "c1"]


@pytest.fixture
def archived(owner: Person, five: None) -> None:
    Conversation.objects.filter(public_id="c1").update(archived=True)


async def test_it_leaves_the_archive_out(owner: Person, archived: None) -> None:
    assert await owner.listed() == ["c4", "c3", "c2", "c0"]


async def test_it_lists_the_archive_alone(owner: Person, archived: None) -> None:
    assert await owner.listed(archived="true") == ["c1"]


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=101", "limit=-1", "limit=1.5", "limit=", "limit=x", "limit=%D9%A3", "limit=" + "9" * 5000),
        *("archived=1", "archived=True", "archived="),
        *("cursor=", "cursor=x", "cursor=%00", "cursor=%ED%A0%80", "cursor=" + "a" * 5000, "q=" + "a" * 201),
    ],
)
async def test_it_refuses_bad_values(owner: Person, query: str) -> None:
    answer = await owner.get(f"/chat/conversations?{query}")
    assert (answer.status_code, answer.json().keys()) == (400, {"error", "details"})


async def test_it_refuses_a_cursor_that_was_changed(owner: Person, five: None) -> None:
    cursor = (await owner.get("/chat/conversations?limit=2")).json()["next_cursor"]
    changed = cursor[:3] + ("A" if cursor[3] != "A" else "B") + cursor[4:]
    assert (await owner.get("/chat/conversations", params={"cursor": changed})).status_code == 400


async def test_it_takes_no_other_method(owner: Person) -> None:
    answer = await owner.call("DELETE", "/chat/conversations")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST, HEAD, OPTIONS")
