"""One browser for these tests, a context of its own for each, and a look at what the browser complained about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, StorageState

from providers.simulator import server as simulator_server
from tests.page import people
from tests.page.browser import Watch, chromium, tab
from tests.page.visiting import Chat
from tests.services.server import LiveServer
from tests.simulator import Simulator

Visit = Callable[..., Chat]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Of this folder only: while it is open, this thread counts as inside an event loop."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def members_server() -> Iterator[LiveServer]:
    """Where conversations have owners: alice, and bob who knows nothing of hers."""
    vendors = Simulator(simulator_server.ensure_running()).env()
    server = LiveServer(**vendors, RATE_LIMIT="100000/h", AUTH_MODE="required")
    people.create(server, "alice", "bob")
    yield server
    server.close()


@pytest.fixture(scope="package")
def sessions(browser: Browser, members_server: LiveServer) -> dict[str, StorageState]:
    """By name. One each: who signs in all the time is asked to wait."""
    return {name: people.session(browser, members_server, name) for name in ("alice", "bob")}


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Opens the page of a server in a browser that was never there: `visit(server, color_scheme="dark")`.

    With `signed_in=False` it is the sign-in that is met first.
    In the end no page may have reported an error, or asked another host for anything.
    """
    opened: list[Chat] = []

    def open_page(server: LiveServer, conversation_id: str = "", signed_in: bool = True, **options: Any) -> Chat:
        context = browser.new_context(**options)
        chat = Chat(tab(context), server, Watch(context, server.url))
        opened.append(chat)
        return chat.visit(conversation_id) if signed_in else chat.go(conversation_id)

    yield open_page
    for chat in opened:
        chat.page.context.close()
    assert [error for chat in opened for error in chat.watch.errors] == []
    assert [url for chat in opened for url in chat.watch.outside] == []


@pytest.fixture
def chat(visit: Visit, server: LiveServer, simulator: Simulator) -> Chat:
    """The page of a server that is open to all."""
    return visit(server)


@pytest.fixture
def member(visit: Visit, members_server: LiveServer, sessions: dict[str, StorageState], simulator: Simulator) -> Chat:
    """The page as alice sees it."""
    return visit(members_server, storage_state=sessions["alice"])


@pytest.fixture(params=["open", "required"])
def anyones(request: pytest.FixtureRequest) -> Chat:
    """The page in either mode."""
    chat: Chat = request.getfixturevalue("chat" if request.param == "open" else "member")
    return chat
