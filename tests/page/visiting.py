"""What a person does on the page, in the words of a test."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from playwright.sync_api import Locator, Page, expect

from tests.page.browser import PATIENCE, Watch, tab
from tests.services.server import LiveServer

expect.set_options(timeout=PATIENCE)


class Chat:
    """The page in a tab. page: for what this class has no word for"""

    def __init__(self, page: Page, server: LiveServer, watch: Watch) -> None:
        self.page = page
        self.server = server
        self.watch = watch

    # -- going there ------------------------------------------------------------------------------------------------

    def go(self, conversation_id: str = "") -> Chat:
        """Whatever page is met there."""
        fragment = f"#{conversation_id}" if conversation_id else ""
        self.page.goto(f"{self.server.url}/{fragment}")
        return self

    def visit(self, conversation_id: str = "") -> Chat:
        return self.go(conversation_id).ready()

    def reload(self) -> Chat:
        self.page.reload()
        return self.ready()

    def ready(self) -> Chat:
        """Once its scripts have run."""
        expect(self.page.locator("body")).to_have_attribute("data-ready", "")
        return self

    def other_tab(self) -> Chat:
        """Of the same browser, at the same conversation."""
        return Chat(tab(self.page.context), self.server, self.watch).visit(self.conversation_id)

    # -- saying something -------------------------------------------------------------------------------------------

    def say(self, text: str) -> Chat:
        """Without waiting for the reply."""
        self.page.get_by_label("Message", exact=True).fill(text)
        self.page.keyboard.press("Enter")
        return self

    def ask(self, text: str) -> Chat:
        """And wait for the end of the reply."""
        self.say(text)
        return self.wait()

    def wait(self) -> Chat:
        """For the end of all replies."""
        expect(self.said.first).to_be_visible()
        expect(self.stop_button).to_be_hidden()
        expect(self.page.locator("[aria-busy=true]")).to_have_count(0)
        return self

    def press(self, name: str, *, within: Locator | None = None) -> Chat:
        (within or self.page).get_by_role("button", name=name, exact=True).click()
        return self

    # -- what is there ----------------------------------------------------------------------------------------------

    @property
    def said(self) -> Locator:
        """The texts of the person."""
        return self.page.locator(".message.user .text")

    @property
    def replies(self) -> Locator:
        return self.page.locator(".message.assistant")

    @property
    def reply(self) -> Locator:
        """The text of the newest reply."""
        return self.replies.last.locator(".text")

    @property
    def note(self) -> Locator:
        """What stands under the newest reply."""
        return self.replies.last.locator(".note")

    @property
    def problem(self) -> Locator:
        return self.page.get_by_role("alert")

    @property
    def stop_button(self) -> Locator:
        return self.page.get_by_role("button", name="Stop", exact=True)

    @property
    def listed(self) -> Locator:
        """The conversations in the sidebar."""
        return self.page.locator("#conversations a")

    @property
    def conversation_id(self) -> str:
        return unquote(self.page.url.partition("#")[2])

    def history(self) -> list[dict[str, Any]]:
        """What the API says was said."""
        answer = self.page.request.get(f"{self.server.url}/chat/history/{self.conversation_id}")
        messages: list[dict[str, Any]] = answer.json()["messages"]
        return messages

    def stored_reply(self) -> str:
        content: str = self.history()[-1]["content"]
        return content
