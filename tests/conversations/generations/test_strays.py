"""A turn whose commit was carried out, and could not be told: nobody produces it, and it must hold up nobody."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError

from conversations.generations import strays
from conversations.generations.process import Engine
from conversations.store import begin as beginnings
from conversations.store.begin import Begun
from conversations.turns import Turn
from tests.conversations.generations.fakes import saying, saying_then, text_of
from tests.conversations.generations.test_process import begin, engines, message_under, until
from tests.conversations.stored import a_claim, a_turn

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def little_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strays, "DOUBT", 0.1)


@pytest.fixture
def silent_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn that says `unheard` is written, and the connection is lost before anybody hears of it."""
    write = beginnings.begin

    def begin(turn: Turn, worker_id: UUID, default_provider: str) -> Begun:
        begun = write(turn, worker_id, default_provider)
        if turn.request_id == "unheard":
            raise OperationalError("the connection was lost")
        return begun

    monkeypatch.setattr(beginnings, "begin", begin)


async def unheard(engine: Engine, **fields: Any) -> None:
    with pytest.raises(OperationalError):
        await begin(engine, a_turn("Hello", request_id="unheard", **fields), saying("never"))


async def test_the_next_turn_of_its_conversation_gets_its_go(silent_commit: None) -> None:
    async with engines() as [engine]:
        await unheard(engine)
        following = await begin(engine, a_turn("Hello", on_busy="wait"), saying("Hi"))
        assert await text_of(following) == "Hi"


async def test_its_key_is_free_again(silent_commit: None) -> None:
    async with engines() as [engine]:
        await unheard(engine, claim=a_claim())
        assert engine._doubting is not None
        await engine._doubting
        again = await begin(engine, a_turn("Hello", claim=a_claim()), saying("Hi"))
        assert await text_of(again) == "Hi"


async def test_what_is_produced_here_goes_on(silent_commit: None) -> None:
    async with engines() as [engine]:
        living = await begin(engine, a_turn("Hi", conversation_id="other"), saying_then(None, "still "))
        await unheard(engine)
        assert engine._doubting is not None
        await engine._doubting
        await until(lambda: living.buffer.position)
        assert (await message_under(living)).status == "streaming"
