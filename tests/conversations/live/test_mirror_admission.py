from __future__ import annotations

from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from tests.conversations.live.people import Person, person
from tests.conversations.live.servers import Server
from tests.conversations.live.watching import new_id, say, watching
from tests.simulator import Simulator


@pytest.fixture(scope="session")
def ada(owned: Server) -> Person:
    return person(owned, "ada")


@pytest.fixture(scope="session")
def stranger(owned: Server) -> Person:
    return person(owned, "stranger")


async def refusal(server: Server, conversation_id: str, **options: Any) -> int:
    with pytest.raises(InvalidStatus) as caught:
        async with watching(server, conversation_id, **options):
            pass
    return caught.value.response.status_code


async def test_it_refuses_who_does_not_say_who_it_is(owned: Server) -> None:
    assert await refusal(owned, new_id()) == 403


@pytest.mark.parametrize("token", ["", "x", "a" * 64])
async def test_it_refuses_a_bad_token(owned: Server, token: str) -> None:
    assert await refusal(owned, new_id(), additional_headers={"Authorization": f"Bearer {token}"}) == 403


async def test_it_refuses_a_bad_token_in_a_subprotocol(owned: Server) -> None:
    assert await refusal(owned, new_id(), subprotocols=["dialogix", "bearer." + "a" * 64]) == 403


async def test_it_knows_a_token(owned: Server, ada: Person) -> None:
    async with watching(owned, new_id(), additional_headers=ada.bearer) as socket:
        assert (await socket.next())["type"] == "snapshot"


async def test_it_knows_a_token_in_a_subprotocol(owned: Server, ada: Person) -> None:
    async with watching(owned, new_id(), subprotocols=["dialogix", f"bearer.{ada.token}"]) as socket:
        assert (await socket.next())["type"] == "snapshot"
        assert socket.socket.subprotocol == "dialogix"


async def test_it_knows_a_session(owned: Server, ada: Person) -> None:
    async with watching(owned, new_id(), additional_headers={"Cookie": f"sessionid={ada.session}"}) as socket:
        assert (await socket.next())["type"] == "snapshot"


async def test_the_owner_sees_what_was_said(owned: Server, ada: Person, simulator: Simulator) -> None:
    conversation = new_id()
    simulator.script(text="Hi")
    await say(owned, conversation, headers=ada.bearer)
    async with watching(owned, conversation, additional_headers=ada.bearer) as socket:
        assert [each["content"] for each in (await socket.next())["messages"]] == ["Hello", "Hi"]


async def test_to_a_stranger_it_is_empty_and_stays_so(
    owned: Server, ada: Person, stranger: Person, simulator: Simulator
) -> None:
    """The stranger's own conversation of that id, which begins after that of the owner has gone on."""
    conversation = new_id()
    simulator.script(text="Hi")
    await say(owned, conversation, headers=ada.bearer)
    async with watching(owned, conversation, additional_headers=stranger.bearer) as socket:
        assert (await socket.next())["messages"] == []
        await say(owned, conversation, "a secret", headers=ada.bearer)
        await say(owned, conversation, "my own", headers=stranger.bearer)
        await socket.until_ended()
    assert [each["content"] for each in socket.messages.values()] == ["my own", "Hi"]


async def test_in_open_mode_a_token_means_nothing(workers: list[Server]) -> None:
    async with watching(workers[0], new_id(), additional_headers={"Authorization": "Bearer x"}) as socket:
        assert (await socket.next())["type"] == "snapshot"


@pytest.mark.parametrize("origin", ["http://localhost:5000", "own"])
async def test_it_lets_known_pages_in(workers: list[Server], origin: str) -> None:
    own = origin.replace("own", workers[0].url)
    async with watching(workers[0], new_id(), origin=own) as socket:
        assert (await socket.next())["type"] == "snapshot"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost:5001", "http://127.0.0.1", "file://", "http://[", "x"]
)
async def test_it_keeps_other_pages_out(workers: list[Server], origin: str) -> None:
    assert await refusal(workers[0], new_id(), origin=origin) == 403


async def test_it_keeps_pages_out_whose_name_leads_here(workers: list[Server]) -> None:
    """DNS rebinding: such a page is its own server, as far as its browser can tell."""
    here = workers[0].root.split(":")
    evil = workers[0].socket_url(new_id()).replace("127.0.0.1", "evil.example")
    with pytest.raises(InvalidStatus) as caught:
        async with connect(
            evil, host=here[0], port=int(here[1]), origin=Origin(f"http://evil.example:{here[1]}"), proxy=None
        ):
            pass
    assert caught.value.response.status_code == 403


@pytest.mark.parametrize("conversation", ["-x", "a%20b", "a" * 129, "%C3%A9", "..%2fx", "a%00"])
async def test_it_refuses_what_cannot_be_an_id(workers: list[Server], conversation: str) -> None:
    assert await refusal(workers[0], conversation) == 403


async def test_it_takes_the_longest_id(workers: list[Server]) -> None:
    async with watching(workers[0], "~".join(["a" * 63, "b" * 64])) as socket:
        assert (await socket.next())["type"] == "snapshot"


async def test_there_is_no_other_socket(workers: list[Server]) -> None:
    assert await refusal(workers[0], "x/y") == 403
