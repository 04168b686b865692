"""Node with the pieces of the page and the packages they name, and Python with the others."""

from __future__ import annotations

import json
import os
import runpy
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.client import Client
from tests.frontends.pieces import pieces
from tests.services import environment
from tests.services.server import LiveServer
from tests.simulator import Simulator

HERE = Path(__file__).parent
SECONDS = 60
Node = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="session")
def folder() -> Path:
    """A folder as a frontend's project has it. Fails, and says why, where it cannot be made."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.fail(f"{program} is missing: the pieces in docs/frontends.md are run with Node 20 or later")
    folder = environment.FOLDER / "frontend"
    shutil.copytree(HERE / "drivers", folder)
    shutil.copy(HERE / "package.json", folder)
    for name, code in pieces().items():
        (folder / name).write_text(code, encoding="utf-8")
    command = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--prefer-offline"]
    done = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True, timeout=300)
    if done.returncode:
        pytest.fail(f"npm could not install tests/frontends/package.json (is there a network?):\n{done.stderr}")
    return folder


@pytest.fixture
def node(folder: Path) -> Iterator[Node]:
    """Starts a driver of this folder with these arguments; its lines of output are JSON."""
    started: list[subprocess.Popen[str]] = []

    def start(driver: str, *arguments: str) -> subprocess.Popen[str]:
        command = ["node", driver, *arguments]
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        started.append(subprocess.Popen(command, cwd=folder, env=kept, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for each in started:
        each.kill()
        each.wait()
        assert each.stdout is not None
        each.stdout.close()


def said(process: subprocess.Popen[str]) -> list[Any]:
    """All that it says until it ends, which must be well."""
    output, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    return [json.loads(line) for line in output.splitlines()]


def next_line(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def python_piece(name: str) -> dict[str, Any]:
    """What the piece defines."""
    file = environment.FOLDER / name
    file.write_text(pieces()[name], encoding="utf-8")
    return runpy.run_path(str(file))


@pytest.fixture
def client(server: LiveServer, simulator: Simulator) -> Iterator[Client]:
    client = Client(server.url)
    yield client
    client.close()
