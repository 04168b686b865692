"""The Chromium that tests look through, and what it must never report."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 15_000
"""Milliseconds that a test waits for what has to come: much, since only a broken page needs them."""

STATUS_NOTED = "Failed to load resource: the server responded with a status of"


def executable() -> str:
    """The path of a Chromium. Raises RuntimeError where there is none."""
    names = [os.environ["CHROMIUM"]] if os.environ.get("CHROMIUM") else NAMES
    for name in names:
        path = shutil.which(name)
        if path is not None:
            return path
    raise RuntimeError(f"no Chromium among {', '.join(names)}: tests/services/install.sh brings one, as root on Debian")


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        yield browser
        browser.close()


class Watch:
    """Listens to the pages of a context for errors and for requests that leave our server."""

    def __init__(self, context: BrowserContext, root: str) -> None:
        self._root = root
        self.errors: list[str] = []
        self.outside: list[str] = []
        context.on("console", self._console)
        context.on("request", self._request)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))

    def allow_lost_connections(self) -> None:
        """For a test that ends the server: the browser notes each request that then fails."""
        self.errors = [error for error in self.errors if "net::ERR_" not in error]

    def expect_refusal(self) -> None:
        """For a test that does what the content security policy forbids. Raises AssertionError where it was not."""
        refused = [error for error in self.errors if "Content Security Policy" in error]
        assert refused
        self.errors = [error for error in self.errors if error not in refused]

    def _console(self, message: ConsoleMessage) -> None:
        # The browser notes every status from 400 on, however well the page takes it.
        if message.type == "error" and not message.text.startswith(STATUS_NOTED):
            self.errors.append(message.text)

    def _request(self, request: Request) -> None:
        if not request.url.startswith((f"{self._root}/", "data:", "blob:")):
            self.outside.append(request.url)


def tab(context: BrowserContext) -> Page:
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    return page
