"""What axe finds, in both themes: names, roles, labels, contrast, order. And what a screen reader hears."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.page.conftest import Visit
from tests.page.visiting import Chat
from tests.services.server import LiveServer
from tests.simulator import Simulator

REPLY = """## Noon

It is **noon**, see [the clock](https://clock.example). `12:00`

> As was said.

```py
print(12)
```

| city | time |
|------|------|
| Rome | noon |
"""
PHONE = {"viewport": {"width": 360, "height": 640}}

both_themes = pytest.mark.parametrize("scheme", ["light", "dark"])


def findings(page: Page) -> list[str]:
    """One line for each thing that axe objects to."""
    violations = Axe().run(page).response["violations"]
    return [f"{each['id']}: {node['html']}" for each in violations for node in each["nodes"]]


@both_themes
def test_it_finds_nothing_on_the_empty_page(visit: Visit, server: LiveServer, scheme: str) -> None:
    assert findings(visit(server, color_scheme=scheme).page) == []


@both_themes
def test_it_finds_nothing_in_a_conversation(
    visit: Visit, server: LiveServer, simulator: Simulator, scheme: str
) -> None:
    simulator.script(text=REPLY)
    chat = visit(server, color_scheme=scheme).ask("What time is it?").press("Answer anew").wait().press("Good reply")
    chat.listed.first.hover()
    assert findings(chat.page) == []


@both_themes
def test_it_finds_nothing_where_a_reply_broke_off(
    visit: Visit, server: LiveServer, simulator: Simulator, scheme: str
) -> None:
    simulator.script(text="One two three", fault="drop", after=2)
    chat = visit(server, color_scheme=scheme).ask("Count")
    expect(chat.problem).to_be_visible()
    assert findings(chat.page) == []


def test_it_finds_nothing_on_a_phone(visit: Visit, server: LiveServer) -> None:
    assert findings(visit(server, **PHONE).page) == []


def test_it_finds_nothing_while_a_reply_grows(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="tick ", endless=True, delay=0.05)
    chat.say("Go on")
    expect(chat.reply).to_contain_text("tick")
    assert findings(chat.page) == []
    chat.press("Stop").wait()


@both_themes
def test_it_finds_nothing_in_a_dialog(visit: Visit, server: LiveServer, simulator: Simulator, scheme: str) -> None:
    simulator.script(text="Yes")
    chat = visit(server, color_scheme=scheme).ask("Really?")
    chat.listed.first.hover()
    chat.press("Rename “Really?”")
    assert findings(chat.page) == []


@both_themes
def test_it_finds_nothing_in_the_list_of_a_phone(visit: Visit, server: LiveServer, scheme: str) -> None:
    assert findings(visit(server, color_scheme=scheme, **PHONE).press("Show conversations").page) == []


@both_themes
def test_it_finds_nothing_where_one_signs_in(visit: Visit, members_server: LiveServer, scheme: str) -> None:
    assert findings(visit(members_server, color_scheme=scheme, signed_in=False).page) == []


def test_it_announces_the_reply(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="It is noon.")
    chat.ask("What time is it?")
    expect(chat.page.get_by_role("status")).to_have_text("Reply from gpt-4o: It is noon.")


def test_it_announces_what_goes_wrong(chat: Chat, simulator: Simulator) -> None:
    simulator.script(status=503)
    chat.say("Hello")
    expect(chat.page.get_by_role("alert")).to_contain_text("failed")


def test_it_tells_that_a_reply_is_not_complete(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="tick ", endless=True, delay=0.05)
    chat.say("Go on")
    expect(chat.page.get_by_role("listitem", name="Reply")).to_have_attribute("aria-busy", "true")
    chat.press("Stop").wait()
    expect(chat.page.get_by_role("listitem", name="Reply")).to_have_attribute("aria-busy", "false")
