"""A reply can be found good or bad."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from tests.page.visiting import Chat
from tests.simulator import Simulator


def thumb(chat: Chat, name: str) -> Locator:
    return chat.page.get_by_role("button", name=name)


def rating(chat: Chat) -> str | None:
    reply = chat.history()[-1]["id"]
    feedback = chat.page.request.get(f"{chat.server.url}/chat/messages/{reply}").json()["feedback"]
    return feedback and str(feedback["rating"])


def test_it_stores_a_thumb(anyones: Chat, simulator: Simulator) -> None:
    simulator.script(text="Yes")
    anyones.ask("Really?").press("Good reply")
    expect(thumb(anyones, "Good reply")).to_have_attribute("aria-pressed", "true")
    assert rating(anyones) == "up"


def test_it_shows_a_thumb_of_yesterday(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="Yes")
    chat.ask("Really?").press("Bad reply")
    expect(thumb(chat, "Bad reply")).to_have_attribute("aria-pressed", "true")
    chat.reload()
    expect(thumb(chat, "Bad reply")).to_have_attribute("aria-pressed", "true")


def test_it_takes_a_thumb_back(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="Yes")
    chat.ask("Really?").press("Good reply")
    expect(thumb(chat, "Good reply")).to_be_focused()
    expect(thumb(chat, "Good reply")).to_have_attribute("aria-pressed", "true")
    chat.page.keyboard.press("Enter")
    expect(thumb(chat, "Good reply")).to_have_attribute("aria-pressed", "false")
    assert rating(chat) is None
