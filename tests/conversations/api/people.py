"""Who calls: an owner, a teammate with conversations of his own, and a stranger without a token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from knox.models import AuthToken

from conversations.models import Conversation, Message, User
from conversations.store.begin import Begun
from dialogix.asgi import application
from tests.conversations.stored import a_turn, end, start


@dataclass
class Person:
    """owner_id: None for who has no account;  token: None for who has none"""

    owner_id: int | None = None
    token: str | None = None

    async def call(self, method: str, path: str, **fields: Any) -> httpx.Response:
        headers = {**({"Authorization": f"Bearer {self.token}"} if self.token else {}), **fields.pop("headers", {})}
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, path, headers=headers, **fields)

    async def get(self, path: str, **fields: Any) -> httpx.Response:
        return await self.call("GET", path, **fields)

    async def listed(self, **params: Any) -> list[str]:
        """Ids of one page of the list."""
        return ids_of(await self.get("/chat/conversations", params=params))

    async def all_pages(self, **params: Any) -> list[list[str]]:
        """Ids of every page."""
        pages = []
        while True:
            answer = (await self.get("/chat/conversations", params=params)).json()
            pages.append([each["conversation_id"] for each in answer["conversations"]])
            if answer["next_cursor"] is None:
                return pages
            params["cursor"] = answer["next_cursor"]

    def says(self, *pairs: tuple[str, str], to: str = "session-1") -> list[Begun]:
        """Whole turns in a conversation of this person: what was said and what was answered."""
        begun = []
        for said, answered in pairs:
            begun.append(start(a_turn(said, conversation_id=to, owner_id=self.owner_id)))
            end(begun[-1], answered)
        return begun


def someone(name: str) -> Person:
    user = User.objects.create_user(name)
    return Person(user.pk, AuthToken.objects.create(user=user)[1])


def ids_of(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [each["conversation_id"] for each in answer.json()["conversations"]]


def message(text: str) -> Message:
    return Message.objects.get(content=text)


def many(owner: Person, count: int, **fields: Any) -> Sequence[Conversation]:
    """Empty conversations, `c0` the oldest."""
    return [Conversation.objects.create(public_id=f"c{at}", owner_id=owner.owner_id, **fields) for at in range(count)]
