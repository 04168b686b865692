"""The page of a server where conversations have owners."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.page import people
from tests.page.conftest import Visit
from tests.page.visiting import Chat
from tests.services.server import LiveServer


def test_it_asks_who_is_there(visit: Visit, members_server: LiveServer) -> None:
    chat = visit(members_server, signed_in=False)
    expect(chat.page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_it_refuses_a_wrong_password(visit: Visit, members_server: LiveServer) -> None:
    page = visit(members_server, signed_in=False).page
    page.get_by_label("Username").fill("alice")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Please enter a correct username and password")).to_be_visible()


def test_it_leads_to_the_conversation_that_was_asked_for(
    visit: Visit, members_server: LiveServer, member: Chat
) -> None:
    page = visit(members_server, "session-linked", signed_in=False).page
    page.get_by_label("Username").fill("alice")
    page.get_by_label("Password").fill(people.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("alice")).to_be_visible()


def test_it_signs_out(visit: Visit, members_server: LiveServer) -> None:
    page = visit(members_server, signed_in=False).page
    page.get_by_label("Username").fill("bob")
    page.get_by_label("Password").fill(people.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
