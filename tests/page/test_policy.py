"""What the browser is told to allow the page."""

from __future__ import annotations

import pytest

from tests.page.visiting import Chat

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


def policy(chat: Chat, path: str) -> dict[str, str]:
    header = chat.page.request.get(chat.server.url + path).headers["content-security-policy"]
    return dict(part.strip().split(" ", 1) for part in header.split(";"))


@pytest.mark.parametrize("path", ["/", "/sign-in/"])
def test_it_allows_only_what_the_server_itself_brings(chat: Chat, path: str) -> None:
    assert policy(chat, path) == POLICY


def test_it_runs_no_script_that_is_slipped_in(chat: Chat) -> None:
    chat.page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), { text: 'window.slipped = true' }))"
    )
    assert chat.page.evaluate("window.slipped") is None
    chat.watch.expect_refusal()
