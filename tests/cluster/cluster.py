"""All of a deployment on this machine, each part a real process: what `docker-compose.yml` describes."""

from __future__ import annotations

import asyncio
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx

from tests.cluster.nginx import Nginx
from tests.cluster.scale import NODES
from tests.conversations.redis_server import RedisServer
from tests.services import databases, environment
from tests.services.postgres import OwnServer, free_port
from tests.services.server import LiveServer
from tests.simulator import Simulator

GRACE = 3.0
"""Seconds that a stopping node gives its replies."""

RATE = 60
"""Requests a day per client."""


class Cluster:
    """vendors: what answers in the place of the vendors, in a process of its own"""

    def __init__(self, vendors: Simulator) -> None:
        self.vendors = vendors
        self.redis = RedisServer()
        self.redis.start()
        # What was acknowledged has to survive a crash of the server, as it would in a deployment.
        self.postgres = OwnServer("synchronous_commit=on")
        self.postgres.start()
        self._database = self.postgres.postgres.create()
        databases.migrate(self._database)
        with ThreadPoolExecutor(NODES) as starting:
            self.nodes = list(starting.map(lambda _: self._node(), range(NODES)))
        self.nginx = Nginx(environment.FOLDER / "nginx", free_port(), [node.port for node in self.nodes])
        self.nginx.start()
        self.url = self.nginx.url
        self._errors: list[dict[str, object]] = []

    def _node(self) -> LiveServer:
        return LiveServer(
            database=self._database,
            REDIS_URL=self.redis.url,
            SIMULATOR="off",
            TRUSTED_PROXIES="127.0.0.1",
            RATE_LIMIT=f"{RATE}/d",
            SHUTDOWN_GRACE=f"{GRACE:g}",
            **self.vendors.env(),
        )

    async def kill(self, node: LiveServer) -> None:
        """Let it crash, and come back."""
        node.kill()
        await asyncio.to_thread(node.start)

    async def roll(self, node: LiveServer) -> int:
        """Stop it as an orchestrator does, and start it anew. Returns the exit code of the old one."""
        try:
            code = await asyncio.to_thread(node.stop)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it does not stop: {node.logs()[-20:]}") from None
        await asyncio.to_thread(node.start)
        return code

    async def until_ready(self, ready: bool = True, seconds: float = 30) -> None:
        """Wait until every node says so."""
        async with asyncio.timeout(seconds), httpx.AsyncClient() as client:
            for node in self.nodes:
                while await _is_ready(client, node) != ready:  # noqa: ASYNC110 - another process tells nobody
                    await asyncio.sleep(0.1)

    async def until_redis_is(self, away: bool, seconds: float = 60) -> None:
        """Wait until every node has noticed: for news by itself, for limits when it is asked for a reply."""
        async with asyncio.timeout(seconds), httpx.AsyncClient() as client:
            for node in self.nodes:
                while await _degraded(client, node) != {float(away)}:  # noqa: ASYNC110 - the same
                    await asyncio.sleep(0.1)

    def errors(self) -> list[dict[str, object]]:
        """What the nodes have logged as an error since this was asked before."""
        found = [line for node in self.nodes for line in node.logs() if line["level"] == "error"]
        new, self._errors = found[len(self._errors) :], found
        return new

    def close(self) -> None:
        self.nginx.stop()
        for node in self.nodes:
            node.close()
        self.postgres.stop()
        self.redis.stop()


async def _is_ready(client: httpx.AsyncClient, node: LiveServer) -> bool:
    with suppress(httpx.TransportError):
        return (await client.get(f"{node.url}/readyz", timeout=5)).status_code == 200
    return False


async def _degraded(client: httpx.AsyncClient, node: LiveServer) -> set[float]:
    samples = re.findall(
        r"^dialogix_redis_degraded\{.*\} (.+)$", (await client.get(f"{node.url}/metrics")).text, re.MULTILINE
    )
    return {float(value) for value in samples}
