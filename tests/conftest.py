"""What every test may use."""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from dialogix.garbage import look_less_often, spare_what_stays
from providers.simulator import server as simulator_server
from tests.conversations.redis_server import RedisServer
from tests.services import environment
from tests.services.server import LiveServer
from tests.services.sharing import Sharing
from tests.simulator import Simulator, simulator  # noqa: F401  (a fixture)

StartServer = Callable[..., LiveServer]


def pytest_configure() -> None:
    # A run that is told to end takes down what it started, as after Ctrl-C; and the programs it starts hear Ctrl-C even
    # where a shell has what it runs in the background ignore it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    look_less_often()
    # How long an example may take says more about the machine than about us.
    hypothesis.settings.register_profile("untimed", deadline=None)
    hypothesis.settings.load_profile("untimed")


def pytest_collection_finish() -> None:
    spare_what_stays()


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist, which is at work only where `-n` asks for it
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Sharing:
    return Sharing(config, log)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """What only Postgres can do, or can do to us, is tested where the tests run on it."""
    if collection_path.name.startswith("test_postgres_") and environment.database() != "postgres":
        return True
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine test in an event loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture
def start_server() -> Iterator[StartServer]:
    """Starts servers with the given environment: `start_server(AUTH_MODE="required", WEB_WORKERS="2")`."""
    started: list[LiveServer] = []

    def start(**options: Any) -> LiveServer:
        started.append(LiveServer(**options))
        return started[-1]

    yield start
    for each in started:
        each.close()


@pytest.fixture(scope="session")
def server() -> Iterator[LiveServer]:
    """One server for all tests that need no special one; its vendors are this process's `simulator`."""
    vendors = Simulator(simulator_server.ensure_running()).env()
    server = LiveServer(**vendors, RATE_LIMIT="100000/h")
    server.wait_until_ready()
    yield server
    server.close()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis: the one that `TEST_REDIS_URL` names, else one of our own."""
    given = os.environ.get("TEST_REDIS_URL")
    if given:
        yield given
        return
    own = RedisServer()
    own.start()
    yield own.url
    own.stop()
