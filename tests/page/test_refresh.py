"""A reply goes on whether it is looked at or not."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from tests.page.visiting import Chat
from tests.simulator import Simulator

LONG: dict[str, Any] = {
    "text": "One two three four five six seven eight nine ten. ",
    "chunks": 60,
    "size": 7,
    "delay": 0.04,
}


def begin(chat: Chat, simulator: Simulator) -> Chat:
    """A reply of some seconds, of which the first words are there."""
    simulator.script(**LONG)
    chat.say("Count")
    expect(chat.reply).to_contain_text("three")
    return chat


def complete(chat: Chat) -> bool:
    """Whether the page shows the whole reply, and the API the same one."""
    stored = chat.stored_reply()
    return len(stored) == 420 and chat.reply.inner_text().strip() == stored.strip()


def test_it_goes_on_where_it_was_after_a_refresh(anyones: Chat, simulator: Simulator) -> None:
    begin(anyones, simulator).reload()
    expect(anyones.stop_button).to_be_visible()
    assert complete(anyones.wait())


def test_it_repeats_and_leaves_out_nothing_after_a_refresh(chat: Chat, simulator: Simulator) -> None:
    begin(chat, simulator).reload()
    expect(chat.stop_button).to_be_visible()
    seen = []
    while chat.stop_button.is_visible():
        seen.append(chat.reply.inner_text().strip())
    whole = chat.wait().stored_reply()
    assert len(set(seen)) > 1
    assert all(whole.startswith(text) for text in seen)


def test_it_survives_several_refreshes(chat: Chat, simulator: Simulator) -> None:
    begin(chat, simulator).reload().reload().reload()
    assert complete(chat.wait())


def test_it_shows_the_same_reply_in_two_tabs(chat: Chat, simulator: Simulator) -> None:
    other = begin(chat, simulator).other_tab()
    assert complete(chat.wait())
    assert complete(other.wait())


def test_it_goes_on_while_another_conversation_is_looked_at(chat: Chat, simulator: Simulator) -> None:
    begin(chat, simulator).press("New conversation")
    expect(chat.replies).to_have_count(0)
    expect(chat.stop_button).to_be_hidden()
    chat.page.go_back()
    expect(chat.reply).to_contain_text("three")
    assert complete(chat.wait())


def test_it_hears_no_more_of_a_reply_that_was_left(chat: Chat, simulator: Simulator) -> None:
    left = begin(chat, simulator).conversation_id
    chat.press("New conversation")
    simulator.clear()
    simulator.script(text="Other")
    chat.ask("Something else")
    history = f"{chat.server.url}/chat/history/{left}"
    while chat.page.request.get(history).json()["messages"][-1].get("status") == "streaming":
        chat.page.wait_for_timeout(100)
    chat.page.wait_for_timeout(500)  # what must not come would come now
    expect(chat.page.get_by_role("status")).to_have_text("Reply from gpt-4o: Other")


def test_it_waits_for_a_reply_that_has_not_begun(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="Here", first_delay=1.5)
    chat.say("Are you there?")
    expect(chat.page.locator("#title")).to_have_text("Are you there?")
    simulator.wait("openai", state="open")
    chat.reload()
    expect(chat.reply).to_have_text("Here")
