"""Several real servers on one database, with vendors of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.services import databases
from tests.services.server import LiveServer
from tests.simulator import Simulator, simulator_process

StartNodes = Callable[..., list[LiveServer]]


@pytest.fixture(scope="module")
def vendors() -> Iterator[Simulator]:
    with simulator_process() as simulator:
        yield simulator


@pytest.fixture
def start_nodes(vendors: Simulator) -> Iterator[StartNodes]:
    """Starts so many servers on one new database: `start_nodes(2, SHUTDOWN_GRACE="1")`."""
    vendors.clear()
    nodes: list[LiveServer] = []
    made: list[str] = []

    def start(count: int, **variables: str) -> list[LiveServer]:
        made.append(databases.fresh())
        common = {**vendors.env("openai"), "RATE_LIMIT": "1000000/h", "database": made[-1], **variables}
        nodes.extend(LiveServer(**common) for _ in range(count))
        return nodes[-count:]

    yield start
    for node in nodes:
        node.close()
    for url in made:
        databases.drop(url)
