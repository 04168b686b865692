"""The commands of docs/deployment.md, carried out while a server serves."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import StartServer
from tests.services import databases, environment, postgres
from tests.services.server import LiveServer

DOCUMENT = (environment.ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
ID = "session-1700000000000"


def say(server: LiveServer, text: str) -> None:
    body = {"conversation_id": ID, "messages": [{"role": "user", "content": text}]}
    assert httpx.post(f"{server.url}/chat/gpt", json=body, timeout=30).is_success


def history(server: LiveServer) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{server.url}/chat/history/{ID}").json()["messages"]
    return found


def do(begins: str, **variables: str) -> None:
    """Carry out the command of the document that begins so."""
    found = re.findall(rf"^{re.escape(begins)} .*$", DOCUMENT, re.MULTILINE)
    programs = [str(Path(sys.executable).parent), str(postgres.program("pg_dump").parent), os.environ["PATH"]]
    values = environment.for_process(**variables, PATH=os.pathsep.join(programs))
    subprocess.run(["sh", "-euc", found[0]], check=True, env=values)


@pytest.fixture
def empty() -> Iterator[str]:
    """The URL of a Postgres database without anything."""
    url = postgres.server().create("template0")
    yield url
    postgres.server().drop(url)


def test_a_dump_of_postgres_brings_all_back(start_server: StartServer, empty: str, tmp_path: Path) -> None:
    server, dump = start_server(database=databases.fresh("postgres")), str(tmp_path / "dump")
    say(server, "Remember the walrus.")
    said = history(server)
    do("pg_dump", DATABASE_URL=server.database_url, BACKUP=dump)
    say(server, "This comes too late.")
    do("pg_restore", DATABASE_URL=empty, BACKUP=dump)
    assert (len(said), history(start_server(database=empty))) == (2, said)


def test_a_dump_of_postgres_is_written_to_as_before(start_server: StartServer, empty: str, tmp_path: Path) -> None:
    server, dump = start_server(database=databases.fresh("postgres")), str(tmp_path / "dump")
    say(server, "Remember the walrus.")
    do("pg_dump", DATABASE_URL=server.database_url, BACKUP=dump)
    do("pg_restore", DATABASE_URL=empty, BACKUP=dump)
    restored = start_server(database=empty)
    say(restored, "And now the carpenter.")
    assert len(history(restored)) == 4


def test_a_copy_of_sqlite_brings_all_back(start_server: StartServer, tmp_path: Path) -> None:
    file, copy = tmp_path / "dialogix.sqlite3", tmp_path / "copy"
    shutil.copy(databases.fresh("sqlite").removeprefix("sqlite:///"), file)
    server = start_server(database=f"sqlite:///{file}")
    say(server, "Remember the walrus.")
    said = history(server)
    do("python", STATE_DIR=str(tmp_path), BACKUP=str(copy))
    say(server, "This comes too late.")
    server.stop()
    for left in [*tmp_path.glob("*-wal"), *tmp_path.glob("*-shm")]:
        left.unlink()
    copy.replace(file)
    server.start()
    assert (len(said), history(server)) == (2, said)
