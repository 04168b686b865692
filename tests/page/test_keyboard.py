"""All of it without a mouse."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.page.visiting import Chat
from tests.simulator import Simulator


def tab_to(chat: Chat, name: str, *, backwards: bool = False) -> None:
    """Press Tab until the control of that name has the focus."""
    for _ in range(40):
        chat.page.keyboard.press("Shift+Tab" if backwards else "Tab")
        found = "(document.activeElement.getAttribute('aria-label') || document.activeElement.textContent).trim()"
        if chat.page.evaluate(found) == name:
            return
    raise AssertionError(f"Tab never comes to {name}")


def test_it_begins_at_the_message(chat: Chat) -> None:
    expect(chat.page.get_by_label("Message", exact=True)).to_be_focused()


def test_it_talks(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="Yes")
    chat.page.keyboard.type("Really?")
    chat.page.keyboard.press("Enter")
    expect(chat.wait().reply).to_have_text("Yes")
    expect(chat.page.get_by_label("Message", exact=True)).to_be_focused()


def test_it_rates(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="Yes")
    tab_to(chat.ask("Really?"), "Good reply", backwards=True)
    chat.page.keyboard.press("Space")
    expect(chat.page.get_by_role("button", name="Good reply")).to_have_attribute("aria-pressed", "true")


def test_it_edits(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="Yes")
    tab_to(chat.ask("Really?"), "Edit", backwards=True)
    chat.page.keyboard.press("Enter")
    chat.page.keyboard.press("Control+A")
    chat.page.keyboard.type("Truly?")
    chat.page.keyboard.press("Tab")
    chat.page.keyboard.press("Enter")
    expect(chat.said).to_have_text(["Truly?"])
    expect(chat.wait().replies).to_have_count(1)


def test_it_deletes(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="Yes")
    tab_to(chat.ask("Really?"), "Delete “Really?”", backwards=True)
    chat.page.keyboard.press("Enter")
    tab_to(chat, "Delete")
    chat.page.keyboard.press("Enter")
    expect(chat.listed).to_have_count(0)
    expect(chat.page.get_by_label("Message", exact=True)).to_be_focused()


def test_it_finds_the_search(chat: Chat) -> None:
    chat.page.keyboard.press("Control+k")
    expect(chat.page.get_by_label("Search conversations")).to_be_focused()


def test_it_skips_to_the_message(chat: Chat) -> None:
    tab_to(chat, "Skip to the message box", backwards=True)
    chat.page.keyboard.press("Enter")
    chat.page.keyboard.press("Tab")
    expect(chat.page.get_by_label("Message", exact=True)).to_be_focused()
