"""Clients of a cluster: they know the load balancer only, come back when they lose it, and write down what they saw."""

from __future__ import annotations

import asyncio
import random
import uuid
from dataclasses import dataclass, field
from typing import Any, Self

import httpx

from tests.chaos.clients import PATIENT, Seen, question, read, settled

AWAY = (502, 503, 504)
"""What a client meets while a node or the database is gone: it asks again, with the same key."""

NOT_STORED = "could not be stored"
"""What it is told where a reply ended while the database was away for long; then, too, asking again is right."""

PAUSE = 0.1
GIVES_UP = 60
"""Seconds after which a client that has not got its reply makes the test fail."""

WORDS = 20
PACE = 0.02
"""Seconds between two words of a reply."""


def new_client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=PATIENT, limits=httpx.Limits(max_connections=None))


def address() -> dict[str, str]:
    """The header of a client that nobody has seen before, as another load balancer in front would set it."""
    return {"X-Forwarded-For": ".".join(str(random.randrange(1, 255)) for _ in range(4))}


def text_of(tag: str, words: int = WORDS, pace: float = PACE) -> str:
    """A user's message, and with that an echo, like no other."""
    return f"{tag}: {' '.join(f'{tag}-{number}' for number in range(words))} [[simulate delay={pace}]]"


@dataclass
class Turn:
    """troubles: what came in the place of an answer, and was got over by asking again or rejoining"""

    text: str
    seen: Seen = field(default_factory=Seen)
    troubles: list[str] = field(default_factory=list)


@dataclass
class Person:
    """Who talks in one conversation, one turn after the other.

    wanders: leaves in the middle of a reply and rejoins it, wherever the load balancer sends it
    """

    client: httpx.AsyncClient
    url: str
    conversation: str
    wanders: bool = False
    turns: list[Turn] = field(default_factory=list)

    async def streamed(self, text: str) -> Turn:
        """One turn, to its end."""
        turn, key = Turn(text), str(uuid.uuid4())
        self.turns.append(turn)
        async with asyncio.timeout(GIVES_UP):
            while not turn.seen.done:
                await self._attempt(turn, self._rejoin(turn) if turn.seen.message_id else self._ask(turn, key))
        return turn

    async def completed(self, text: str) -> Turn:
        """The same with the whole reply in one answer."""
        turn, headers = Turn(text), {"Idempotency-Key": str(uuid.uuid4()), **address()}
        body = {"message": text, "conversation_id": self.conversation}
        self.turns.append(turn)
        async with asyncio.timeout(GIVES_UP):
            while not turn.seen.done:
                await self._attempt(turn, self._complete(turn, body, headers))
        return turn

    async def _attempt(self, turn: Turn, request: Any) -> None:
        try:
            await request
        except httpx.TransportError as error:
            turn.troubles.append(repr(error))
        if not turn.seen.done:
            await asyncio.sleep(PAUSE)

    async def _ask(self, turn: Turn, key: str) -> None:
        headers, body = {"Idempotency-Key": key, **address()}, question(turn.text, self.conversation)
        async with self.client.stream("POST", f"{self.url}/chat/gpt", json=body, headers=headers) as response:
            if await _has_answered(response, turn):
                turn.seen.message_id = response.headers["x-message-id"]
                await read(response, turn.seen, until=len(turn.text) // 2 if self.wanders else None)

    async def _rejoin(self, turn: Turn) -> None:
        headers, path = {"Last-Event-ID": str(turn.seen.position)}, f"/chat/messages/{turn.seen.message_id}/stream"
        async with self.client.stream("GET", self.url + path, headers=headers) as response:
            if response.status_code == 204:
                turn.seen.done = True
            elif await _has_answered(response, turn):
                await read(response, turn.seen)

    async def _complete(self, turn: Turn, body: dict[str, str], headers: dict[str, str]) -> None:
        response = await self.client.post(f"{self.url}/chat/completions", json=body, headers=headers)
        if await _has_answered(response, turn):
            answer = response.json()
            turn.seen.message_id, turn.seen.text, turn.seen.done = answer["messageId"], answer["message"], True

    async def check(self) -> list[dict[str, Any]]:
        """What is stored is what was acknowledged: every message once, in order, with the text that was seen."""
        messages = await settled(self.client, self.url, self.conversation)
        asked = [message["content"] for message in messages if message["role"] == "user"]
        assert asked == [turn.text for turn in self.turns]
        stored = {message["id"]: message for message in messages}
        assert len(stored) == len(messages)
        for turn in self.turns:
            _check_reply(turn, stored.get(turn.seen.message_id, {"content": "", "status": "interrupted"}))
        return messages


def _check_reply(turn: Turn, reply: dict[str, Any]) -> None:
    seen, status = turn.seen, reply.get("status", "complete")
    if status == "complete":
        assert seen.text == reply["content"]
        assert not seen.errors or (len(seen.errors) == 1 and NOT_STORED in seen.errors[0])
        assert seen.text.endswith(turn.text)
    else:
        assert status == "interrupted"
        assert len(seen.errors) == 1
        assert seen.text.startswith(reply["content"]), "text has changed under a client"


async def _has_answered(response: httpx.Response, turn: Turn) -> bool:
    turn.seen.status = response.status_code
    if response.status_code == 200:
        return True
    await response.aread()
    assert response.status_code in AWAY or NOT_STORED in response.text, f"{response.status_code}: {response.text}"
    assert response.headers["content-type"] == "application/json", response.text
    turn.troubles.append(f"{response.status_code}: {response.text}")
    return False


class Load:
    """People who talk to a cluster as long as `async with` lasts, and then finish what they have begun.

    people: how many;  name: the beginning of their conversations' names
    """

    def __init__(self, url: str, people: int, name: str) -> None:
        self._client = new_client()
        self._over = asyncio.Event()
        self.people = [Person(self._client, url, f"{name}-{number}", number % 3 == 0) for number in range(people)]

    async def __aenter__(self) -> Self:
        self._talking = [asyncio.create_task(self._talk(person)) for person in self.people]
        return self

    async def __aexit__(self, *failure: object) -> None:
        self._over.set()
        await asyncio.gather(*self._talking)

    async def check(self) -> None:
        """Look at all that was stored of it."""
        await asyncio.gather(*(person.check() for person in self.people))
        await self._client.aclose()

    @property
    def turns(self) -> list[Turn]:
        return [turn for person in self.people for turn in person.turns]

    @property
    def troubles(self) -> list[str]:
        return [trouble for turn in self.turns for trouble in turn.troubles]

    @property
    def told(self) -> list[str]:
        """Errors at the end of streams."""
        return [error for turn in self.turns for error in turn.seen.errors]

    async def until_turns(self, count: int) -> None:
        """Wait until so many turns are over."""
        before = self._ended()
        while self._ended() < before + count:
            await asyncio.sleep(PAUSE)
            for task in self._talking:
                if task.done():
                    task.result()

    def _ended(self) -> int:
        return sum(turn.seen.done for turn in self.turns)

    async def _talk(self, person: Person) -> None:
        while not self._over.is_set():
            text = text_of(f"{person.conversation}-{len(person.turns)}")
            await (person.completed(text) if len(person.turns) % 4 == 3 else person.streamed(text))
