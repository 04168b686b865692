"""An owner and a stranger of a server that asks who is calling."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tests.conversations.live.servers import Server

CREATE = """
import json
from django.test import Client
from knox.models import AuthToken
from conversations.models import User
user = User.objects.create_user({name!r})
client = Client()
client.force_login(user)
print(json.dumps([AuthToken.objects.create(user=user)[1], client.cookies["sessionid"].value]))
"""


@dataclass(frozen=True)
class Person:
    name: str
    token: str
    session: str

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def person(server: Server, name: str) -> Person:
    token, session = json.loads(server.run(CREATE.format(name=name)))
    return Person(name, token, session)
