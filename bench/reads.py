"""What a page costs at a thousand, a hundred thousand and a million stored messages: `python -m bench.reads`.

The same pages over HTTP, one client at a time, on one server per database; between two measurements the database only
grows. A search is for as many matches at each size: the conversations with the rare word are written first.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from bench import report
from bench.processes import PYTHON, ROOT, Server, running
from tests.services import postgres

DATABASES = ("sqlite", "postgres")
SIZES = (1_000, 100_000, 1_000_000)
REPEATED = 200
WARM_UP = 30
MOST = 1.5
"""The bar: the median at the greatest size by that at the smallest."""

NEEDLE = "quetzalcoatlus"
MARKED = 20
"""Conversations that have the rare word."""

LONG = 500
"""Messages of one long conversation."""

FIRST = MARKED * 20 + LONG
"""Messages that are there before any others."""

PREPARE = f"""
from datetime import UTC, datetime
from django.contrib.auth import get_user_model
from knox.models import AuthToken
from conversations.commands.filler import Filler
from conversations.store import seeding
owner, _ = get_user_model().objects.get_or_create(username="bench")
filler = Filler(owner.pk, datetime.now(UTC), seed=1)
for at in range({MARKED}):
    marked = filler.conversation(20)
    marked.conversation.public_id = f"marked-{{at}}"
    marked.messages[0].content += " {NEEDLE}"
    seeding.write([marked], {{}})
long = filler.conversation({LONG})
long.conversation.public_id = "long"
seeding.write([long], {{}})
print(long.messages[{LONG} // 2].public_id, AuthToken.objects.create(user=owner)[1])
"""
ANALYZE = "from django.db import connection; connection.cursor().execute('ANALYZE')"


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of one page: the median as its client sees it, and the server's own CPU (not the database's)."""

    median: float
    cpu: float


def main() -> None:
    options = _options()
    with TemporaryDirectory(prefix="reads") as folder:
        tables = [_measure(kind, Path(folder), options.sizes) for kind in options.databases]
    text = "\n\n".join([report.machine(REPEATED), *tables])
    print(text)
    if tuple(options.sizes) == SIZES and len(options.databases) == len(DATABASES):
        report.write("reads", text)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.reads", description="What a page costs as more is stored.")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="messages stored (default: %(default)s)")
    parser.add_argument("--databases", nargs="+", choices=DATABASES, default=DATABASES)
    return parser.parse_args()


def _measure(kind: str, folder: Path, sizes: Sequence[int]) -> str:
    """The table of one database."""
    with _database(kind, folder) as url:
        _manage(url, folder, "migrate", "--verbosity=0")
        middle, token = _manage(url, folder, "shell", "--no-imports", "--command", PREPARE).split()[-2:]
        found: dict[str, list[Cost]] = {}
        stored = FIRST
        for size in sizes:
            _manage(url, folder, "seed_demo", "--owner=bench", f"--messages={size - stored}", f"--seed={size}")
            stored = size
            _manage(url, folder, "shell", "--no-imports", "--command", ANALYZE)
            for name, cost in _costs(url, folder, token, middle).items():
                found.setdefault(name, []).append(cost)
    return _table(kind, sizes, found)


def _pages(middle: str) -> dict[str, str]:
    """middle: the id of a message in the middle of the long conversation"""
    search = "/chat/conversations?q="
    return {
        "list": "/chat/conversations",
        "one conversation": "/chat/conversations/marked-7",
        "history, newest 50": "/chat/history/long?limit=50",
        "history, 50 before one": f"/chat/history/long?limit=50&before={middle}",
        "search, 20 matches": search + NEEDLE,
        "search, beginning of it": search + NEEDLE[:7],
        "search, none": search + "zzyzx",
        "search, rare and common": f"{search}{NEEDLE}+ka",
        "search, common": search + "ka",
        "search, one letter": search + "k",
    }


def _costs(url: str, folder: Path, token: str, middle: str) -> dict[str, Cost]:
    """Per page what it costs now."""
    command = ("env", "AUTH_MODE=required", f"DATABASE_URL={url}", PYTHON, "-m", "dialogix.serve")
    with (
        running("dialogix", folder / "server", 1, other=command) as server,
        httpx.Client(
            base_url=f"http://127.0.0.1:{server.port}", headers={"Authorization": f"Bearer {token}"}
        ) as client,
    ):
        return {name: _cost(server, client, path) for name, path in _pages(middle).items()}


def _cost(server: Server, client: httpx.Client, path: str) -> Cost:
    for _ in range(WARM_UP):
        client.get(path).raise_for_status()
    spent, times = server.cpu(), []
    for _ in range(REPEATED):
        began = time.perf_counter()
        client.get(path)
        times.append(time.perf_counter() - began)
    return Cost(statistics.median(times) * 1000, (server.cpu() - spent) / REPEATED * 1000)


def _table(kind: str, sizes: Sequence[int], found: dict[str, list[Cost]]) -> str:
    lines = [
        f"| {kind}, ms (CPU) | {' | '.join(f'{size:,}' for size in sizes)} | largest / smallest, of CPU |",
        f"|---|{'---:|' * (len(sizes) + 1)}",
    ]
    for name, costs in found.items():
        ratio = costs[-1].median / costs[0].median
        verdict = f"{ratio:.2f}" if ratio <= MOST else f"**{ratio:.2f}**"
        cells = (f"{each.median:.2f} ({each.cpu:.2f})" for each in costs)
        lines.append(f"| {name} | {' | '.join(cells)} | {verdict}, {costs[-1].cpu / costs[0].cpu:.2f} |")
    return "\n".join(lines)


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'reads.sqlite3'}"
        return
    server = postgres.server()
    url = server.create()
    yield url
    server.drop(url)


def _manage(url: str, folder: Path, *arguments: str) -> str:
    """Run a command of `manage.py`; its progress goes to the terminal."""
    variables = {**os.environ, "DATABASE_URL": url, "STATE_DIR": str(folder / "server"), "ENV_FILE": ""}
    command = [PYTHON, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=variables, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()
