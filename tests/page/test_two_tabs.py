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
