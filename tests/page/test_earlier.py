"""A long conversation comes in pages."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.page.visiting import Chat
from tests.simulator import Simulator


def long_conversation(chat: Chat, simulator: Simulator) -> str:
    """52 messages, `0` to `48` and three more."""
    simulator.script(text="Yes")
    roles = ["user" if number % 2 == 0 else "assistant" for number in range(49)]
    messages = [{"role": role, "content": str(number)} for number, role in enumerate(roles)]
    body = {"conversation_id": "session-long", "messages": messages}
    for data in (body, {**body, "messages": [{"role": "user", "content": "50"}]}):
        assert chat.page.request.post(f"{chat.server.url}/chat/gpt", data=data).ok
    return "session-long"


def test_it_shows_earlier_messages(chat: Chat, simulator: Simulator) -> None:
    chat.visit(long_conversation(chat, simulator))
    expect(chat.page.locator(".message")).to_have_count(50)
    chat.press("Show earlier messages")
    expect(chat.page.locator(".message")).to_have_count(52)
    expect(chat.said.first).to_have_text("0")
    expect(chat.page.get_by_role("button", name="Show earlier messages")).to_be_hidden()
