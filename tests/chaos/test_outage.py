"""While the database is away streams flow on, nothing is claimed as stored, and nobody is declared dead."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import psycopg

from tests.chaos.clients import PATIENT, question, settled, under_way
from tests.chaos.conftest import StartNodes
from tests.services.server import LiveServer
from tests.simulator import Simulator

TABLES = "conversations_message, conversations_generation, conversations_journalentry, conversations_worker"


@asynccontextmanager
async def database_held(node: LiveServer) -> AsyncIterator[None]:
    """Nobody else can write meanwhile, as when the database hangs."""
    if node.database_url.startswith("sqlite"):
        connection = sqlite3.connect(node.database_url.removeprefix("sqlite:///"), isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")
        connection.close()
    else:
        with psycopg.connect(node.database_url) as holder:
            holder.execute(f"LOCK TABLE {TABLES} IN EXCLUSIVE MODE")
            yield
            holder.rollback()


async def test_streams_flow_on_and_the_journal_catches_up(start_nodes: StartNodes, vendors: Simulator) -> None:
    [node] = start_nodes(1)
    vendors.script("openai", chunks=["word "] * 200, delay=0.02, times=1)
    async with httpx.AsyncClient(timeout=PATIENT) as client:
        asking = await under_way(client, node.url, question("begin", "held"))
        async with database_held(node):
            await asyncio.sleep(3)
        seen = await asking
        messages = await settled(client, node.url, "held")
    gaps = [after - before for (before, _), (after, _) in zip(seen.arrivals, seen.arrivals[1:], strict=False)]
    assert (seen.done, seen.errors) == (True, [])
    assert max(gaps) < 2, "the stream stood still with the database"
    assert messages[-1]["content"] == seen.text == "word " * 200


async def test_a_client_is_told_when_its_reply_could_not_be_stored(start_nodes: StartNodes, vendors: Simulator) -> None:
    [node] = start_nodes(1)
    vendors.script("openai", chunks=["word "] * 60, delay=0.02, times=1)
    async with httpx.AsyncClient(timeout=PATIENT) as client:
        asking = await under_way(client, node.url, question("begin", "away"))
        async with database_held(node):
            seen = await asking
        messages = await settled(client, node.url, "away")
    assert seen.done
    assert "could not be stored" in seen.errors[0]
    assert messages[-1]["content"] == "word " * 60, "it is stored all the same when the database is back"


async def test_an_outage_kills_nobody(start_nodes: StartNodes, vendors: Simulator) -> None:
    first, second = start_nodes(2)
    vendors.script("openai", chunks=["word "] * 1300, delay=0.02, times=1)
    async with httpx.AsyncClient(timeout=PATIENT) as client:
        asking = await under_way(client, first.url, question("begin", "outage"))
        async with database_held(first):
            await asyncio.sleep(18)
        seen = await asking
        messages = await settled(client, second.url, "outage")
    assert (seen.done, seen.errors) == (True, [])
    assert messages[-1].get("status", "complete") == "complete"
