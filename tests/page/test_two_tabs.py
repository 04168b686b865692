"""Two tabs at one conversation."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.page.visiting import Chat
from tests.simulator import Simulator


def test_it_answers_both_one_after_the_other(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="Yes")
    other = chat.ask("Start").other_tab()
    simulator.clear()
    simulator.script(text="One two three", delay=0.2)
    chat.say("From here")
    other.say("From there")
    expect(other.wait().said).to_have_text(["Start", "From here", "From there"])
    chat.wait().reload()
    expect(chat.said).to_have_text(["Start", "From here", "From there"])
    expect(chat.replies).to_have_count(3)


def test_it_follows_what_another_tab_asks(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="Yes")
    chat.ask("First")
    other = chat.other_tab()
    simulator.clear()
    simulator.script(text="tick ", endless=True, delay=0.02)
    chat.say("Second")
    expect(other.said.last).to_have_text("Second")
    expect(other.reply).to_contain_text("tick tick")
    chat.press("Stop").wait()
    other.wait()
    expect(other.note).to_have_text("gpt-4o · Stopped")


def test_it_leaves_an_edit_alone(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="Yes")
    chat.ask("First")
    other = chat.other_tab()
    other.said.hover()
    other.press("Edit")
    other.page.get_by_label("Edit the message").fill("Half a tho")
    chat.ask("Second")
    expect(other.page.get_by_label("Edit the message")).to_have_value("Half a tho")


def test_it_looks_again_when_it_is_looked_at(member: Chat, simulator: Simulator) -> None:
    simulator.script(text="Yes")
    member.ask("First")
    other = member.other_tab()
    member.ask("Second")
    other.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(other.said.last).to_have_text("Second")
