"""Who calls a server that asks: an owner, a teammate and a stranger, with tokens made as an operator makes them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

from tests.contract.client import Client
from tests.services import environment
from tests.services.server import LiveServer

# One process for all of it: each costs as much as a dozen tests.
SET_UP = """
import io, json
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from knox.models import AuthToken
from conversations.models import Conversation, User

tokens = {}
for name in ("owner", "teammate", "stranger", "leaver", "late"):
    said = io.StringIO()
    call_command("create_token", name, stdout=said)
    tokens[name] = said.getvalue().strip()
AuthToken.objects.filter(user__username="late").update(expiry=timezone.now())
browser = Client()
browser.force_login(User.objects.get(username="owner"))
Conversation.objects.create(public_id="nobodys")
print(json.dumps([tokens, browser.cookies["sessionid"].value]))
"""


@dataclass(frozen=True)
class People:
    """tokens: by name, that of `late` has expired; session: the cookie of the owner's browser

    A conversation without an owner is there, too: `nobodys`.
    """

    server: LiveServer
    tokens: dict[str, str]
    session: str

    def client(self, name: str) -> Client:
        return Client(self.server.url, headers={"Authorization": f"Bearer {self.tokens[name]}"})

    def browser(self, *, csrf: bool) -> Client:
        """The owner's. csrf: whether its requests prove that they were meant"""
        cookie, token = f"sessionid={self.session}", "a" * 32
        if not csrf:
            return Client(self.server.url, headers={"Cookie": cookie})
        return Client(self.server.url, headers={"Cookie": f"{cookie}; csrftoken={token}", "X-CSRFToken": token})


def people_of(server: LiveServer) -> People:
    tokens, session = json.loads(manage(server, "shell", "--no-imports", "-c", SET_UP))
    return People(server, tokens, session)


def manage(server: LiveServer, *words: str) -> str:
    """What `manage.py` prints, run beside the server on its database."""
    command = [sys.executable, "manage.py", *words]
    variables = environment.for_process(DATABASE_URL=server.database_url, AUTH_MODE="required")
    done = subprocess.run(command, cwd=environment.ROOT, env=variables, check=True, capture_output=True, text=True)
    return done.stdout.strip()
