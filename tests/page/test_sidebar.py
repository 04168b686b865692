"""The list of conversations."""

from __future__ import annotations

from playwright.sync_api import StorageState, expect

from tests.page.conftest import Visit
from tests.page.visiting import Chat
from tests.services.server import LiveServer
from tests.simulator import Simulator


def two(chat: Chat, simulator: Simulator) -> Chat:
    """Of several conversations the newest is about bread, the one before about tea."""
    simulator.script(text="Yes")
    return chat.ask("About tea").press("New conversation").ask("About bread")


def test_it_lists_the_newest_first(anyones: Chat, simulator: Simulator) -> None:
    two(anyones, simulator)
    expect(anyones.listed.nth(0)).to_have_text("About bread")
    expect(anyones.listed.nth(1)).to_have_text("About tea")


def test_it_marks_the_one_that_is_open(anyones: Chat, simulator: Simulator) -> None:
    two(anyones, simulator)
    expect(anyones.page.locator("[aria-current=page]")).to_have_text("About bread")
    assert anyones.page.title() == "About bread · Dialogix"


def test_it_opens_another(chat: Chat, simulator: Simulator) -> None:
    two(chat, simulator).listed.nth(1).click()
    expect(chat.said).to_have_text(["About tea"])
    expect(chat.page.locator("#title")).to_have_text("About tea")


def test_it_goes_back_and_forward(chat: Chat, simulator: Simulator) -> None:
    two(chat, simulator).listed.nth(1).click()
    expect(chat.said).to_have_text(["About tea"])
    chat.page.go_back()
    expect(chat.said).to_have_text(["About bread"])
    chat.page.go_forward()
    expect(chat.said).to_have_text(["About tea"])


def test_it_searches(anyones: Chat, simulator: Simulator) -> None:
    two(anyones, simulator).page.get_by_label("Search conversations").fill("tea")
    expect(anyones.page.get_by_role("link", name="About bread")).to_have_count(0)
    expect(anyones.listed.first).to_have_text("About tea")


def test_it_says_that_nothing_is_found(anyones: Chat, simulator: Simulator) -> None:
    two(anyones, simulator).page.get_by_label("Search conversations").fill("zebra")
    expect(anyones.page.get_by_text("Nothing found.")).to_be_visible()


def test_it_renames(anyones: Chat, simulator: Simulator) -> None:
    two(anyones, simulator).listed.first.hover()
    anyones.page.get_by_role("button", name="Rename “About bread”").first.click()
    anyones.page.get_by_role("dialog").get_by_label("Title").fill("Loaves")
    anyones.page.keyboard.press("Enter")
    expect(anyones.listed.first).to_have_text("Loaves")
    anyones.reload()
    expect(anyones.listed.first).to_have_text("Loaves")
    expect(anyones.page.locator("#title")).to_have_text("Loaves")


def test_it_deletes(anyones: Chat, simulator: Simulator) -> None:
    gone = two(anyones, simulator).conversation_id
    anyones.listed.first.hover()
    anyones.page.get_by_role("button", name="Delete “About bread”").first.click()
    anyones.press("Delete", within=anyones.page.get_by_role("dialog"))
    expect(anyones.listed.first).to_have_text("About tea")
    expect(anyones.said).to_have_count(0)
    assert anyones.page.request.get(f"{anyones.server.url}/chat/history/{gone}").status == 404


def test_it_deletes_nothing_unless_that_is_confirmed(chat: Chat, simulator: Simulator) -> None:
    two(chat, simulator).listed.first.hover()
    chat.page.get_by_role("button", name="Delete “About bread”").click()
    chat.page.keyboard.press("Escape")
    expect(chat.listed).to_have_count(2)
    assert len(chat.history()) == 2


def test_it_says_that_a_conversation_is_gone(chat: Chat) -> None:
    chat.visit("session-never-there")
    expect(chat.problem).to_contain_text("does not exist any more")


def test_it_lists_in_open_mode_only_what_this_browser_began(
    visit: Visit, server: LiveServer, chat: Chat, simulator: Simulator
) -> None:
    stranger = visit(server, two(chat, simulator).conversation_id)
    expect(stranger.said).to_have_text(["About bread"])
    expect(stranger.page.get_by_text("No conversations yet.")).to_be_visible()


def test_it_tells_the_other_tabs(chat: Chat, simulator: Simulator) -> None:
    other = two(chat, simulator).other_tab()
    chat.press("New conversation").ask("About salt")
    expect(other.listed.first).to_have_text("About salt")


def test_it_lists_only_what_the_user_owns(
    visit: Visit, members_server: LiveServer, sessions: dict[str, StorageState], member: Chat, simulator: Simulator
) -> None:
    of_alice = two(member, simulator).conversation_id
    bob = visit(members_server, of_alice, storage_state=sessions["bob"])
    expect(bob.problem).to_contain_text("does not exist any more")
    expect(bob.listed).to_have_count(0)
