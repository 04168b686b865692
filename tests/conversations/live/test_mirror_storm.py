from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from typing import Any

import pytest

from tests.conversations.live.servers import Server
from tests.conversations.live.watching import Watching, get, new_id, post, say, watching
from tests.simulator import Simulator


async def something(server: Server, conversation: str, chance: random.Random) -> None:
    """One thing that a client may do next, whatever is under way."""
    history: list[dict[str, Any]] = (await get(server, f"/chat/history/{conversation}")).get("messages", [])
    choice = chance.choice(["say", "say", "interrupt", "edit", "regenerate", "cancel"])
    message = chance.choice(history)["id"] if history else ""
    match choice:
        case "edit" | "regenerate" | "cancel" if message:
            await post(server, f"/chat/messages/{message}/{choice}", {"content": "again"} if choice == "edit" else {})
        case "interrupt":
            await say(server, conversation, f"{chance.random()}", on_busy="interrupt")
        case _:
            await say(server, conversation, f"{chance.random()}")


def told(messages: Iterable[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(message["id"], message["content"], message.get("status", "complete")) for message in messages][-50:]


async def shows(socket: Watching, messages: list[dict[str, Any]]) -> bool:
    """Whether it comes to show just these."""
    if told(socket.messages.values()) != told(messages):
        await socket.until(lambda _: told(socket.messages.values()) == told(messages))
    return True


async def read(socket: Watching) -> None:
    while True:
        await socket.next()


@pytest.mark.parametrize("seed", range(2))
async def test_whatever_happens_all_come_to_show_the_history(
    workers: list[Server], simulator: Simulator, seed: int
) -> None:
    chance, conversation = random.Random(seed), new_id()
    simulator.script(chunks=3, times=4, first_delay=0.1)
    simulator.script(status=500, times=2)
    simulator.script(chunks=20, size=4, delay=0.03)
    async with (
        watching(workers[0], conversation) as here,
        watching(workers[1], conversation) as there,
        watching(workers[1], conversation) as there_too,
    ):
        sockets = (here, there, there_too)
        reading = [asyncio.create_task(read(socket)) for socket in sockets]
        for _ in range(4):
            await asyncio.gather(*(something(chance.choice(workers), conversation, chance) for _ in range(4)))
        for task in reading:
            task.cancel()
        for task in reading:
            with pytest.raises(asyncio.CancelledError):  # and no frame that did not fit those before it
                await task
        history = (await get(workers[0], f"/chat/history/{conversation}?limit=50"))["messages"]
        assert all([await shows(socket, history) for socket in sockets])
