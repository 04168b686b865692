"""People with an account, for servers where conversations have owners."""

from __future__ import annotations

import subprocess
import sys

from playwright.sync_api import Browser, StorageState

from tests.services import environment
from tests.services.server import LiveServer

PASSWORD = "correct horse battery staple"
CREATE = """
from django.contrib.auth import get_user_model
for name in {names!r}:
    get_user_model().objects.create_user(name, password={password!r})
"""


def create(server: LiveServer, *names: str) -> None:
    """Their password is PASSWORD."""
    code = CREATE.format(names=names, password=PASSWORD)
    variables = environment.for_process(DATABASE_URL=server.database_url)
    command = [sys.executable, "manage.py", "shell", "--verbosity=0", "-c", code]
    subprocess.run(command, cwd=environment.ROOT, env=variables, check=True)


def session(browser: Browser, server: LiveServer, name: str) -> StorageState:
    """The cookies of somebody who has signed in."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{server.url}/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{server.url}/")
    state = context.storage_state()
    context.close()
    return state
