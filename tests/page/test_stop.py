"""Whoever asked may stop the reply."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.page.visiting import Chat
from tests.simulator import Simulator


def begin(chat: Chat, simulator: Simulator) -> Chat:
    simulator.script(text="tick ", endless=True, delay=0.02)
    chat.say("Go on")
    expect(chat.reply).to_contain_text("tick tick")
    return chat


def test_it_stops_at_the_button(anyones: Chat, simulator: Simulator) -> None:
    begin(anyones, simulator).press("Stop").wait()
    expect(anyones.note).to_have_text("gpt-4o · Stopped")


def test_it_stops_at_escape(chat: Chat, simulator: Simulator) -> None:
    begin(chat, simulator).page.keyboard.press("Escape")
    expect(chat.wait().note).to_contain_text("Stopped")


def test_it_closes_the_vendors_stream(chat: Chat, simulator: Simulator) -> None:
    begin(chat, simulator).press("Stop").wait()
    assert simulator.wait("openai")["model"] == "gpt-4o"


def test_it_keeps_the_text_so_far(chat: Chat, simulator: Simulator) -> None:
    begin(chat, simulator).press("Stop").wait()
    assert chat.reply.inner_text().strip() == chat.stored_reply().strip()


def test_it_stops_before_the_first_word(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="Too late", first_delay=20)
    chat.say("Never mind")
    simulator.wait("openai", state="open")
    chat.press("Stop")
    expect(chat.problem).to_contain_text("This message has no answer yet.")
    expect(chat.replies).to_have_count(0)


def test_it_stops_what_was_only_just_sent(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="tick ", endless=True, delay=0.02)
    chat.page.get_by_label("Message", exact=True).fill("Oh no")
    chat.page.evaluate("document.getElementById('composer').requestSubmit(); document.getElementById('stop').click()")
    expect(chat.stop_button).to_be_hidden()


def test_it_stops_in_all_tabs(chat: Chat, simulator: Simulator) -> None:
    other = begin(chat, simulator).other_tab()
    expect(other.stop_button).to_be_visible()
    other.press("Stop").wait()
    expect(chat.wait().note).to_contain_text("Stopped")
    assert chat.reply.inner_text() == other.reply.inner_text()


def test_it_stops_what_was_refreshed(chat: Chat, simulator: Simulator) -> None:
    begin(chat, simulator).reload().press("Stop").wait()
    expect(chat.note).to_contain_text("Stopped")


def test_it_returns_the_focus_to_the_message(chat: Chat, simulator: Simulator) -> None:
    begin(chat, simulator).press("Stop").wait()
    expect(chat.page.get_by_label("Message", exact=True)).to_be_focused()
