"""Four servers on one database, clients that leave, cancel and try again: every acknowledged message is there once."""

from __future__ import annotations

import asyncio
import random
import uuid
from dataclasses import dataclass, field

import httpx

from tests.chaos.clients import PATIENT, ask, question, settled
from tests.chaos.conftest import StartNodes
from tests.chaos.scale import CONVERSATIONS, TURNS
from tests.services.server import LiveServer
from tests.simulator import Simulator


@dataclass
class Talk:
    """One conversation's client, who asks one thing after the other. acknowledged: texts whose stream had begun"""

    conversation: str
    acknowledged: list[str] = field(default_factory=list)

    async def go(self, client: httpx.AsyncClient, nodes: list[LiveServer], chance: random.Random, turns: int) -> None:
        for number in range(turns):
            await self.turn(client, nodes, chance, f"{self.conversation} {number}")

    async def turn(self, client: httpx.AsyncClient, nodes: list[LiveServer], chance: random.Random, text: str) -> None:
        body = question(text, self.conversation)
        key = str(uuid.uuid4())
        leaves = chance.choice([None, None, 1, 10])
        seen = await ask(client, chance.choice(nodes).url, body, until=leaves, key=key)
        assert seen.status == 200, seen.errors
        self.acknowledged.append(text)
        match chance.randrange(4):
            case 0:
                again = await ask(client, chance.choice(nodes).url, body, key=key)
                assert again.message_id == seen.message_id, "the same key makes no second turn"
            case 1:
                url = f"{chance.choice(nodes).url}/chat/messages/{seen.message_id}/cancel"
                answer = await client.post(url)
                assert answer.status_code == 200
                assert answer.json()["status"] in ("cancelled", "complete")


async def test_every_acknowledged_message_is_there_once_and_in_order(
    start_nodes: StartNodes, vendors: Simulator
) -> None:
    nodes = start_nodes(4)
    vendors.script("openai", chunks=["word "] * 12, delay=0.01)
    chance = random.Random(7)
    talks = [Talk(f"talk-{number}") for number in range(CONVERSATIONS)]
    async with httpx.AsyncClient(timeout=PATIENT, limits=httpx.Limits(max_connections=None)) as client:
        turns = TURNS // CONVERSATIONS
        await asyncio.gather(*(talk.go(client, nodes, random.Random(chance.random()), turns) for talk in talks))
        for talk in talks:
            messages = await settled(client, nodes[0].url, talk.conversation)
            assert [each["content"] for each in messages if each["role"] == "user"] == talk.acknowledged
            ids = [each["id"] for each in messages]
            assert len(set(ids)) == len(ids)
    errors = [line for node in nodes for line in node.logs() if line["level"] == "error"]
    assert not errors, errors[:3]


async def test_turns_at_once_on_one_conversation_lose_nothing(start_nodes: StartNodes, vendors: Simulator) -> None:
    nodes = start_nodes(2)
    vendors.script("openai", chunks=["word "] * 3, delay=0.005)
    async with httpx.AsyncClient(timeout=PATIENT, limits=httpx.Limits(max_connections=None)) as client:
        asked = [ask(client, nodes[number % 2].url, question(f"text {number}", "shared")) for number in range(12)]
        assert [seen.status for seen in await asyncio.gather(*asked)] == [200] * 12
        messages = await settled(client, nodes[0].url, "shared")
    assert [each["role"] for each in messages] == ["user", "assistant"] * 12
    texts = [each["content"] for each in messages if each["role"] == "user"]
    assert sorted(texts) == sorted(f"text {number}" for number in range(12))
