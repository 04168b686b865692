"""Nobody who reads is disturbed by a reply that grows."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.page.visiting import Chat
from tests.simulator import Simulator

TOP = "node => node.scrollTop"
REST = "node => node.scrollHeight - node.scrollTop - node.clientHeight"
CODE = "```py\n" + "long = " + "1 + " * 100 + "1\n"


@pytest.fixture
def growing(chat: Chat, simulator: Simulator) -> Chat:
    """With a reply that is longer than the page, and grows without end."""
    text = "First words.\n\n" + "line\n\n" * 60
    simulator.script(text=text, endless=True, size=30, delay=0.01)
    chat.say("Go on")
    expect(chat.reply.locator("p").nth(60)).to_be_visible()
    return chat


def test_it_stays_where_a_reader_goes_up_a_little(growing: Chat) -> None:
    scroller = growing.page.locator("#scroller")
    scroller.hover()
    growing.page.mouse.wheel(0, -20)
    expect(growing.page.get_by_role("button", name="To the newest message")).to_be_visible()
    before = scroller.evaluate(TOP)
    count = growing.reply.locator("p").count()
    expect(growing.reply.locator("p").nth(count + 40)).to_be_attached()
    assert scroller.evaluate(TOP) == before
    growing.press("Stop").wait()


def test_it_follows_again_who_asks_for_the_newest(growing: Chat) -> None:
    scroller = growing.page.locator("#scroller")
    scroller.hover()
    growing.page.mouse.wheel(0, -300)
    growing.press("To the newest message")
    expect(growing.page.get_by_role("button", name="To the newest message")).to_be_hidden()
    growing.press("Stop").wait()
    assert scroller.evaluate(REST) < 2


def test_it_leaves_a_selection_while_more_comes(growing: Chat) -> None:
    growing.reply.locator("p").first.select_text()
    count = growing.reply.locator("p").count()
    expect(growing.reply.locator("p").nth(count + 20)).to_be_attached()
    assert growing.page.evaluate("getSelection().toString()").strip() == "First words."
    growing.press("Stop").wait()


def test_it_leaves_code_where_it_was_moved_to(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text=CODE + "more\n" * 200, size=50, delay=0.03)
    chat.say("Code, please")
    block = chat.reply.locator("pre")
    expect(block).to_contain_text("more")
    block.evaluate("node => { node.scrollLeft = 100 }")
    chat.wait()
    assert block.evaluate("node => node.scrollLeft") == 100
    assert block.inner_text() == chat.stored_reply().removeprefix("```py\n")


def test_it_goes_down_to_what_is_sent(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="line\n\n" * 100)
    chat.ask("Go on")
    scroller = chat.page.locator("#scroller")
    scroller.evaluate("node => { node.scrollTop = 0 }")
    expect(chat.page.get_by_role("button", name="To the newest message")).to_be_visible()
    chat.ask("And on")
    assert scroller.evaluate(REST) < 2
