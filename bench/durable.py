"""What durability is worth and what it costs, in figures.

    python -m bench.durable [kills|rejoin|cancel|writes|soak …]      (all but the soak by default)

    kills   seconds of streamed text that a `kill -9` lost, over random kills
    rejoin  from asking another worker to the first new text, ms
    cancel  from the cancel on another worker to the vendor's stream being closed, ms
    writes  write transactions a second while 200 stored streams run at 50 chunks a second, and errors in the log
    soak    memory of one worker over ten minutes of clients that connect and leave

Two servers on one SQLite file, or with `DATABASE_URL` on what that names.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from bench.processes import Server, free_port, running

KILLS = int(os.environ.get("KILLS", "30"))
ROUNDS = 15
STREAMS = 200
SOAK_SECONDS = float(os.environ.get("SOAK_SECONDS", "600"))
LOOK_EVERY = 0.005
WRITES = re.compile(r"^dialogix_journal_write_transactions_total (\S+)", re.MULTILINE)


class Stage:
    """The simulator and two servers in front of it."""

    def __init__(self, folder: Path, simulator: Server, client: httpx.AsyncClient) -> None:
        self.folder = folder
        self.simulator = simulator
        self.client = client

    def url(self, server: Server) -> str:
        return f"http://127.0.0.1:{server.port}"

    async def script(self, **fields: Any) -> None:
        root = self.url(self.simulator)
        await self.client.put(f"{root}/_simulator/scripts", json=[{"vendor": "openai", "script": fields}])

    async def open_upstream(self) -> int:
        received = (await self.client.get(f"{self.url(self.simulator)}/_simulator/requests")).json()
        return sum(request["state"] == "open" for request in received)

    @contextmanager
    def server(self, port: int = 0) -> Iterator[Server]:
        with running("dialogix", self.folder / "state", self.simulator.port, port=port) as server:
            yield server

    async def events(self, response: httpx.Response) -> AsyncIterator[tuple[float, str]]:
        """(when, text) of each delta."""
        async for line in response.aiter_lines():
            if line.startswith("data: {"):
                yield time.monotonic(), json.loads(line[6:]).get("delta", {}).get("content", "")

    def asked(self, server: Server, conversation: str) -> contextlib.AbstractAsyncContextManager[httpx.Response]:
        body = {"conversation_id": conversation, "messages": [{"role": "user", "content": "go"}]}
        return self.client.stream("POST", f"{self.url(server)}/chat/gpt", json=body)


async def kills(stage: Stage) -> None:
    await stage.script(chunks=["word "] * 400, delay=0.02)
    chance, port, lost = random.Random(1), free_port(), []
    for number in range(KILLS):
        with stage.server(port) as server:
            arrivals, text = await _until_killed(stage, server, f"kill-{number}", chance.uniform(0.3, 1.8))
        with stage.server(port) as server:
            stored = await _stored(stage, server, f"kill-{number}")
        killed_at, seen = arrivals[-1][0], len(text)
        first_lost = next((when for when, after in arrivals[:-1] if after > len(stored)), None)
        assert text.startswith(stored) or stored.startswith(text), "what is stored is not what was sent"
        lost.append(killed_at - first_lost if first_lost and seen > len(stored) else 0.0)
    _print("kills", f"{len(lost)} kills, text lost: median {statistics.median(lost):.3f} s, most {max(lost):.3f} s")


async def _until_killed(
    stage: Stage, server: Server, conversation: str, seconds: float
) -> tuple[list[tuple[float, int]], str]:
    """Arrivals as (when, position after it), the kill as the last, and the text that came."""
    arrivals: list[tuple[float, int]] = []
    text = ""

    async def read() -> None:
        nonlocal text
        with contextlib.suppress(httpx.TransportError):
            async with stage.asked(server, conversation) as response:
                async for when, delta in stage.events(response):
                    text += delta
                    arrivals.append((when, len(text)))

    reading = asyncio.create_task(read())
    while not arrivals:  # noqa: ASYNC110 - another process's doing, which no event tells of
        await asyncio.sleep(0.01)
    await asyncio.sleep(seconds)
    killed_at = time.monotonic()
    server.process.kill()
    await reading
    return [*arrivals, (killed_at, len(text))], text


async def _stored(stage: Stage, server: Server, conversation: str) -> str:
    while True:
        answer = await stage.client.get(f"{stage.url(server)}/chat/history/{conversation}")
        last = answer.json()["messages"][-1]
        if last.get("status") != "streaming":
            return str(last["content"]) if last["role"] == "assistant" else ""
        await asyncio.sleep(0.1)


async def rejoin(stage: Stage) -> None:
    await stage.script(chunks=["word "] * 200, delay=0.02)
    waits = []
    with stage.server() as first, stage.server() as second:
        for number in range(ROUNDS):
            async with stage.asked(first, f"rejoin-{number}") as response:
                message, position = response.headers["x-message-id"], 0
                async for _, delta in stage.events(response):
                    position += len(delta)
                    if position > 150:
                        break
            began = time.monotonic()
            url = f"{stage.url(second)}/chat/messages/{message}/stream"
            async with stage.client.stream("GET", url, headers={"Last-Event-ID": str(position)}) as again:
                async for when, _ in stage.events(again):
                    waits.append((when - began) * 1000)
                    break
    _print("rejoin", f"first new text on another worker: {_spread(waits)} ms")


async def cancel(stage: Stage) -> None:
    await stage.script(chunks=["word "] * 3000, delay=0.02)
    waits = []
    with stage.server() as first, stage.server() as second:
        for number in range(ROUNDS):
            before = await stage.open_upstream()
            async with stage.asked(first, f"cancel-{number}") as response:
                began = time.monotonic()
                url = f"{stage.url(second)}/chat/messages/{response.headers['x-message-id']}/cancel"
                asking = asyncio.create_task(stage.client.post(url))
                while await stage.open_upstream() > before:  # noqa: ASYNC110 - the same
                    await asyncio.sleep(LOOK_EVERY)
                waits.append((time.monotonic() - began) * 1000)
                await asking
    _print("cancel", f"vendor's stream closed after a cancel on another worker: {_spread(waits)} ms")


async def writes(stage: Stage) -> None:
    await stage.script(chunks=["word "] * 500, delay=0.02)
    with stage.server() as server:
        asking = [asyncio.create_task(_whole(stage, server, f"writes-{number}")) for number in range(STREAMS)]
        await asyncio.sleep(4)
        before, began = await _writes(stage, server), time.monotonic()
        await asyncio.sleep(5)
        rate = (await _writes(stage, server) - before) / (time.monotonic() - began)
        whole = await asyncio.gather(*asking)
        log = (stage.folder / "state" / "log").read_text()
    errors = sum('"level":"error"' in line or "database is locked" in line for line in log.splitlines())
    text = f"{rate:.1f} write transactions a second with {STREAMS} streams; {sum(whole)} complete, {errors} errors"
    _print("writes", text)


async def _whole(stage: Stage, server: Server, conversation: str) -> bool:
    async with stage.asked(server, conversation) as response:
        text = [delta async for _, delta in stage.events(response)]
    return "".join(text) == "word " * 500


async def _writes(stage: Stage, server: Server) -> float:
    found = WRITES.search((await stage.client.get(f"{stage.url(server)}/metrics")).text)
    assert found is not None
    return float(found[1])


async def soak(stage: Stage) -> None:
    await stage.script(chunks=["word "] * 100, delay=0.02)
    chance, sizes = random.Random(2), []
    with stage.server() as server:
        ends = time.monotonic() + SOAK_SECONDS

        async def come_and_go(number: int) -> None:
            turn = 0
            while time.monotonic() < ends:
                turn += 1
                with contextlib.suppress(httpx.TransportError):
                    async with stage.asked(server, f"soak-{number}-{turn}") as response:
                        until = time.monotonic() + chance.uniform(0.1, 2.5)
                        async for when, _ in stage.events(response):
                            if when > until:
                                break

        clients = [asyncio.create_task(come_and_go(number)) for number in range(50)]
        while time.monotonic() < ends:
            await asyncio.sleep(SOAK_SECONDS / 20)
            sizes.append(server.memory() / 2**20)
        await asyncio.gather(*clients)
    half = len(sizes) // 2
    text = f"MiB over {SOAK_SECONDS:.0f} s: first half {statistics.median(sizes[:half]):.0f}"
    _print("soak", f"{text}, second half {statistics.median(sizes[half:]):.0f}, most {max(sizes):.0f}")


def _spread(values: list[float]) -> str:
    return f"median {statistics.median(values):.0f}, most {max(values):.0f} of {len(values)}"


def _print(name: str, text: str) -> None:
    print(f"{name:8}{text}", flush=True)


ACTS = {"kills": kills, "rejoin": rejoin, "cancel": cancel, "writes": writes, "soak": soak}


async def main(names: list[str]) -> None:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    with tempfile.TemporaryDirectory(prefix="dialogix-bench-") as folder:
        for name in names:
            room = Path(folder) / name
            recording = [sys.executable, "-m", "providers.simulator", "--port", str(port := free_port())]
            with running("simulator", room / "simulator", other=recording, port=port) as simulator:
                async with httpx.AsyncClient(timeout=120, limits=limits) as client:
                    await ACTS[name](Stage(room, simulator, client))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:] or [name for name in ACTS if name != "soak"]))
