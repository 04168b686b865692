"""Somebody's things, and requests for them at any address."""

from __future__ import annotations

import httpx

from tests.contract.client import Client, new_id
from tests.schema.routes import Operation
from tests.security import routes
from tests.security.routes import Things

SECRET = "The treasure lies under the old oak."


def things_of(client: Client) -> Things:
    conversation = new_id()
    client.complete(SECRET, conversation_id=conversation)
    question, reply = client.history(conversation)
    return Things(conversation, question["id"], reply["id"])


def ask(client: Client, operation: Operation, things: Things, **headers: str) -> httpx.Response:
    method, path = operation
    return client.http.request(method, things.path(path), json=routes.body_of(operation), headers=headers)
