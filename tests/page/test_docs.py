"""The description of the API, as a person reads and tries it in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from tests.page.visiting import Chat


def open_operation(chat: Chat, name: str) -> Locator:
    chat.page.goto(f"{chat.server.url}/api/docs/#/Conversations/{name}")
    operation = chat.page.locator(f"#operations-Conversations-{name}")
    expect(operation.get_by_role("button", name="Execute")).to_be_visible()
    return operation


def test_it_shows_every_group(chat: Chat) -> None:
    chat.page.goto(f"{chat.server.url}/api/docs/")
    for name in ("Chat", "Messages", "Conversations", "OpenAI-compatible", "Health"):
        expect(chat.page.locator(f'[id="operations-tag-{name}"]')).to_be_visible()


@pytest.mark.parametrize("mode", ["chat", "member"])
def test_it_tries_a_route(request: pytest.FixtureRequest, mode: str) -> None:
    operation = open_operation(request.getfixturevalue(mode), "createConversation")
    operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table .response")
    expect(answer.locator(".response-col_status").first).to_contain_text("200")
    expect(answer).to_contain_text("session-")
