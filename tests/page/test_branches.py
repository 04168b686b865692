"""Edits and new answers stand beside what they replace."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.page.visiting import Chat
from tests.simulator import Simulator


def answered_anew(chat: Chat, simulator: Simulator) -> Chat:
    """A reply `First`, and beside it `Second`, which is shown."""
    simulator.script("openai", text="First", times=1)
    simulator.script("openai", text="Second")
    chat.ask("Count")
    return chat.press("Answer anew").wait()


def edit(chat: Chat, text: str) -> Chat:
    chat.press("Edit", within=chat.page.locator(".message.user").last)
    chat.page.get_by_label("Edit the message").fill(text)
    return chat.press("Send the edited message")


def test_it_answers_anew(anyones: Chat, simulator: Simulator) -> None:
    answered_anew(anyones, simulator)
    expect(anyones.reply).to_have_text("Second")
    expect(anyones.replies.last).to_contain_text("2 / 2")


def test_it_switches_back(chat: Chat, simulator: Simulator) -> None:
    answered_anew(chat, simulator).press("Previous alternative")
    expect(chat.reply).to_have_text("First")
    assert chat.stored_reply() == "First"


def test_it_keeps_the_focus_where_branches_are_switched(chat: Chat, simulator: Simulator) -> None:
    answered_anew(chat, simulator).press("Previous alternative")
    expect(chat.page.get_by_role("button", name="Next alternative")).to_be_focused()


def test_it_answers_anew_once_however_often_it_is_pressed(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="Again", first_delay=0.3)
    chat.ask("Count")
    chat.page.get_by_role("button", name="Answer anew").dblclick()
    expect(chat.wait().replies.last).to_contain_text("2 / 2")


def test_it_asks_another_provider_anew(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="Yes")
    chat.ask("Count").page.get_by_label("Provider").select_option("gemini")
    expect(chat.press("Answer anew").wait().note).to_have_text("gemini-2.0-flash")


def test_it_sends_an_edited_message(anyones: Chat, simulator: Simulator) -> None:
    simulator.script(text="Yes")
    edit(anyones.ask("Is it day?"), "Is it night?").wait()
    expect(anyones.said).to_have_text(["Is it night?"])
    assert [message["content"] for message in anyones.history()] == ["Is it night?", "Yes"]


def test_it_shows_what_was_said_before_the_edit(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="Yes")
    edit(chat.ask("Is it day?"), "Is it night?").wait().press("Previous alternative")
    expect(chat.said).to_have_text(["Is it day?"])


def test_it_leaves_an_edit_at_escape(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="Yes")
    chat.ask("Is it day?").press("Edit").page.keyboard.press("Escape")
    expect(chat.said).to_have_text(["Is it day?"])
    expect(chat.page.get_by_role("button", name="Edit", exact=True)).to_be_focused()


def test_it_leaves_a_reply_for_another_branch(chat: Chat, simulator: Simulator) -> None:
    simulator.script("openai", text="First", times=1)
    simulator.script("openai", text="tick ", endless=True, delay=0.02)
    chat.ask("Count").press("Answer anew")
    expect(chat.reply).to_contain_text("tick")
    chat.other_tab().press("Stop").wait()
    expect(chat.wait().replies.last).to_contain_text("2 / 2")
    chat.press("Previous alternative")
    expect(chat.reply).to_have_text("First")
