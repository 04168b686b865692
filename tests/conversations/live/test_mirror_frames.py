from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.conversations.live.servers import Server
from tests.conversations.live.watching import get, new_id, post, say, watching
from tests.simulator import Simulator

SLOW: dict[str, Any] = {"chunks": 20, "size": 5, "delay": 0.05}


@pytest.fixture(params=[0, 1], ids=["same-worker", "other-worker"])
def mirror(workers: list[Server], request: pytest.FixtureRequest) -> Server:
    """The worker that is asked for the mirror; the first one is asked for everything else."""
    return workers[request.param]


@pytest.fixture
def writer(workers: list[Server]) -> Server:
    return workers[0]


async def test_it_begins_with_an_empty_snapshot_where_there_is_no_conversation(mirror: Server) -> None:
    conversation = new_id()
    async with watching(mirror, conversation) as socket:
        assert await socket.next() == {"type": "snapshot", "conversation_id": conversation, "messages": []}


async def test_it_begins_with_what_was_said(writer: Server, mirror: Server, simulator: Simulator) -> None:
    conversation = new_id()
    simulator.script(text="Hi")
    await say(writer, conversation)
    async with watching(mirror, conversation) as socket:
        messages = (await socket.next())["messages"]
    assert [(each["role"], each["content"], each["status"]) for each in messages] == [
        ("user", "Hello", "complete"),
        ("assistant", "Hi", "complete"),
    ]


async def test_its_messages_are_those_of_the_message_route(
    writer: Server, mirror: Server, simulator: Simulator
) -> None:
    conversation = new_id()
    simulator.script(text="Hi")
    await say(writer, conversation)
    async with watching(mirror, conversation) as socket:
        shown = (await socket.next())["messages"][-1]
    assert shown == await get(writer, f"/chat/messages/{shown['id']}")


async def test_a_snapshot_has_the_newest_fifty(writer: Server, mirror: Server, simulator: Simulator) -> None:
    conversation = new_id()
    simulator.script(text="last")
    said = [{"role": "user", "content": f"{number}"} for number in range(50)]
    await say(writer, conversation, messages=said)
    async with watching(mirror, conversation) as socket:
        messages = (await socket.next())["messages"]
    assert [each["content"] for each in messages] == [*(str(number) for number in range(1, 50)), "last"]


async def test_it_shows_a_conversation_that_begins_later(writer: Server, mirror: Server, simulator: Simulator) -> None:
    conversation = new_id()
    simulator.script(**SLOW)
    async with watching(mirror, conversation) as socket:
        await socket.next()
        reply = asyncio.create_task(say(writer, conversation))
        await socket.until_ended()
        await reply
    assert socket.kinds() == ["snapshot", "message", "delta", "message"]


async def test_it_shows_a_turn_message_by_message(writer: Server, mirror: Server, simulator: Simulator) -> None:
    conversation = new_id()
    simulator.script(text="Hi")
    await say(writer, conversation)
    simulator.clear()
    simulator.script(**SLOW)
    async with watching(mirror, conversation) as socket:
        await socket.next()
        reply = asyncio.create_task(say(writer, conversation, "More"))
        await socket.until_ended()
        await reply
    shown = [(each["message"]["role"], each["message"]["status"]) for each in socket.of("message")]
    assert shown == [("user", "complete"), ("assistant", "streaming"), ("assistant", "complete")]


async def test_deltas_make_the_whole_text(writer: Server, mirror: Server, simulator: Simulator) -> None:
    """Without gap or overlap, and before the end: `Watching` checks each frame against those before it."""
    conversation = new_id()
    chunks = ("Zwölf ", "👩‍👩‍👧 ", "\r\n\r\n", "data: x", "🎉", "漢字", "\u2028") * 5
    simulator.script(chunks=chunks, delay=0.03)
    async with watching(mirror, conversation) as socket:
        reply = asyncio.create_task(say(writer, conversation))
        ended = await socket.until_ended()
        await reply
    assert ended["content"] == "".join(chunks)
    assert len(socket.of("delta")) > 1


async def test_who_comes_in_the_middle_misses_nothing(writer: Server, mirror: Server, simulator: Simulator) -> None:
    conversation = new_id()
    simulator.script(**SLOW)
    async with watching(writer, conversation) as first:
        reply = asyncio.create_task(say(writer, conversation))
        await first.until(lambda frame: frame["type"] == "delta" and frame["position"] >= 20)
        async with watching(mirror, conversation) as second:
            snapshot = await second.next()
            ended = await second.until_ended()
        await reply
    assert snapshot["messages"][-1]["status"] == "streaming"
    assert len(ended["content"]) == 100


async def test_all_sockets_show_the_same(writer: Server, mirror: Server, simulator: Simulator) -> None:
    conversation = new_id()
    simulator.script(**SLOW)
    async with watching(mirror, conversation) as first, watching(mirror, conversation) as second:
        reply = asyncio.create_task(say(writer, conversation))
        ended = await asyncio.gather(first.until_ended(), second.until_ended())
        await reply
    assert ended[0] == ended[1]


async def test_it_shows_a_reply_that_waits(writer: Server, mirror: Server, simulator: Simulator) -> None:
    conversation = new_id()
    simulator.script(**SLOW)
    async with watching(mirror, conversation) as socket:
        replies = [asyncio.create_task(say(writer, conversation, text)) for text in ("one", "two")]
        await socket.until_ended()
        await socket.until_ended()
        await asyncio.gather(*replies)
    assert [each["role"] for each in socket.messages.values()] == ["user", "assistant"] * 2


async def test_a_cancelled_reply_ends_as_such(writer: Server, mirror: Server, simulator: Simulator) -> None:
    conversation = new_id()
    simulator.script(endless=True, delay=0.02)
    async with watching(mirror, conversation) as socket:
        reply = asyncio.create_task(say(writer, conversation))
        delta = await socket.until(lambda frame: frame["type"] == "delta")
        await post(writer, f"/chat/messages/{delta['message_id']}/cancel")
        ended = await socket.until_ended("cancelled")
        await reply
    assert ended["content"]


async def test_a_snapshot_comes_again_when_another_branch_is_shown(
    writer: Server, mirror: Server, simulator: Simulator
) -> None:
    conversation = new_id()
    simulator.script(text="one", times=1)
    await say(writer, conversation)
    simulator.clear()
    simulator.script(**SLOW)
    async with watching(mirror, conversation) as socket:
        first = (await socket.next())["messages"][-1]["id"]
        again = asyncio.create_task(post(writer, f"/chat/messages/{first}/regenerate"))
        snapshot = await socket.until(lambda frame: frame["type"] == "snapshot")
        ended = await socket.until_ended()
        await again
    assert [each["id"] for each in snapshot["messages"][1:]] == [ended["id"]]
    assert ended["siblings"] == [first, ended["id"]]


async def test_an_edit_takes_what_it_replaces_away(writer: Server, mirror: Server, simulator: Simulator) -> None:
    conversation = new_id()
    simulator.script(text="one")
    await say(writer, conversation)
    async with watching(mirror, conversation) as socket:
        user = (await socket.next())["messages"][0]["id"]
        await post(writer, f"/chat/messages/{user}/edit", {"content": "Good evening"})
        await socket.until(lambda _: [each["content"] for each in socket.messages.values()] == ["Good evening", "one"])
    assert user not in socket.messages


async def test_a_reply_that_fails_without_text_says_so_and_goes(
    writer: Server, mirror: Server, simulator: Simulator
) -> None:
    conversation = new_id()
    simulator.script(status=500, headers_delay=0.5)
    async with watching(mirror, conversation) as socket:
        await socket.next()
        reply = asyncio.create_task(say(writer, conversation))
        ended = await socket.until_ended("failed")
        snapshot = await socket.next()
        await reply
    assert ended["error"]
    assert [each["role"] for each in snapshot["messages"]] == ["user"]
