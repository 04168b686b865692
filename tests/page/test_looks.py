"""How the page looks: light and dark, wide and narrow, with texts of any shape."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.page.conftest import Visit
from tests.page.visiting import Chat
from tests.services.server import LiveServer
from tests.simulator import Simulator

PHONE = {"viewport": {"width": 360, "height": 640}, "is_mobile": True, "has_touch": True}

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def theme(chat: Chat) -> str | None:
    return chat.page.locator("html").get_attribute("data-theme")


def height(chat: Chat) -> float:
    box = chat.page.get_by_label("Message", exact=True).bounding_box()
    assert box is not None
    return box["height"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_looks_like_the_system(visit: Visit, server: LiveServer, scheme: str) -> None:
    assert theme(visit(server, color_scheme=scheme)) == scheme


def test_it_remembers_the_dark_mode(chat: Chat) -> None:
    chat.press("Dark mode").reload()
    assert theme(chat) == "dark"
    expect(chat.page.get_by_role("button", name="Dark mode")).to_have_attribute("aria-pressed", "true")


def test_it_hides_the_list_on_a_phone(visit: Visit, server: LiveServer) -> None:
    chat = visit(server, **PHONE)
    expect(chat.page.get_by_role("button", name="New conversation")).to_be_hidden()
    chat.press("Show conversations")
    expect(chat.page.get_by_role("button", name="New conversation")).to_be_visible()


def test_it_closes_the_list_when_one_is_chosen(visit: Visit, server: LiveServer, simulator: Simulator) -> None:
    simulator.script(text="Yes")
    chat = visit(server, **PHONE).ask("About tea").press("Show conversations")
    chat.listed.first.click()
    expect(chat.listed.first).to_be_hidden()
    expect(chat.page.get_by_label("Message", exact=True)).to_be_enabled()


def test_it_closes_the_list_at_escape(visit: Visit, server: LiveServer) -> None:
    chat = visit(server, **PHONE).press("Show conversations")
    chat.page.keyboard.press("Escape")
    expect(chat.page.get_by_role("button", name="Show conversations")).to_be_focused()


def test_it_keeps_the_focus_in_an_open_list(visit: Visit, server: LiveServer) -> None:
    chat = visit(server, **PHONE).press("Show conversations")
    for _ in range(8):
        chat.page.keyboard.press("Tab")
        assert not chat.page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_it_fits_a_phone_whatever_is_said(visit: Visit, server: LiveServer, simulator: Simulator) -> None:
    long = "x" * 500
    simulator.script(
        text=f"{long}\n\n```\n{long}\n```\n\n|{long}|b|\n|-|-|\n|1|2|\n\n[{long}](https://a.example/{long})"
    )
    chat = visit(server, **PHONE).ask("y" * 500)
    assert chat.page.evaluate(OVERFLOW) == 0
    box = chat.replies.last.bounding_box()
    assert box is not None
    assert box["width"] <= 360


def test_it_grows_with_the_message(chat: Chat) -> None:
    before = height(chat)
    chat.page.get_by_label("Message", exact=True).fill("many words " * 60)
    assert height(chat) > 2 * before


def test_it_grows_no_taller_than_a_part_of_the_page(chat: Chat) -> None:
    chat.page.get_by_label("Message", exact=True).fill("line\n" * 200)
    assert height(chat) <= 220


def test_it_begins_a_new_line_with_shift(chat: Chat) -> None:
    box = chat.page.get_by_label("Message", exact=True)
    box.press_sequentially("a")
    box.press("Shift+Enter")
    box.press_sequentially("b")
    expect(box).to_have_value("a\nb")


def test_it_runs_each_paragraph_in_its_own_direction(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="שלום עולם\n\nHello world")
    chat.ask("مرحبا")
    directions = "nodes => nodes.map(node => getComputedStyle(node).direction)"
    assert chat.reply.locator("p").evaluate_all(directions) == ["rtl", "ltr"]
    assert chat.said.evaluate_all(directions) == ["rtl"]


@pytest.mark.parametrize(
    ("text", "holder"), [("- {}\n- {}", "ul"), ("> {}", "blockquote"), ("|{}|{}|\n|-|-|", "table")]
)
def test_it_runs_what_holds_paragraphs_in_their_direction(
    chat: Chat, simulator: Simulator, text: str, holder: str
) -> None:
    simulator.script(text=f"{text.format('שלום', 'עולם')}\n\n---\n\n{text.format('Hello', 'world')}")
    chat.ask("Both")
    directions = "nodes => nodes.map(node => getComputedStyle(node).direction)"
    assert chat.reply.locator(holder).evaluate_all(directions) == ["rtl", "ltr"]


def test_it_follows_a_growing_reply_down(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="line\n\n" * 200)
    chat.ask("Go on")
    rest = "node => node.scrollHeight - node.scrollTop - node.clientHeight"
    assert chat.page.locator("#scroller").evaluate(rest) < 2


def test_it_leaves_a_reader_where_he_reads(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="line\n\n", chunks=400, size=6, delay=0.005)
    chat.say("Go on")
    scroller = chat.page.locator("#scroller")
    expect(chat.reply.locator("p").nth(60)).to_be_visible()
    scroller.evaluate("node => { node.scrollTop = 0 }")
    chat.wait()
    assert scroller.evaluate("node => node.scrollTop") == 0
