"""The same application under four ASGI servers: `python -m bench.servers` (`make bench-servers`).

One worker each, on the asyncio loop that is the server's best; nothing stored. `dialogix.serve` is uvicorn with our
bounds on heads and bodies and with our own way to stop.
"""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import report, rounds
from bench.processes import PYTHON, ROOT, UVICORN, environment, free_port, running
from bench.results import Results, peak, per_chunk, per_request
from bench.scenarios import PACED, SHORT, SUBJECTS, WARM_UP

ROUNDS = 3
APPLICATION = "dialogix.asgi:application"
OURS = "uvicorn"


def commands(port: int) -> dict[str, Sequence[str]]:
    """How each is started, by the name of its package."""
    address = f"127.0.0.1:{port}"
    return {
        "uvicorn": (*UVICORN, "--port", str(port), "--lifespan", "off", "--no-proxy-headers", APPLICATION),
        "granian": (
            *(PYTHON, "-m", "granian", "--interface", "asginl", "--host", "127.0.0.1", "--port", str(port)),
            *("--workers", "1", "--loop", "uvloop", "--no-ws", "--backlog", "2048", "--log-level", "warning"),
            APPLICATION,
        ),
        "hypercorn": (
            *(PYTHON, "-m", "hypercorn", "--bind", address, "--workers", "1", "--worker-class", "uvloop"),
            *("--backlog", "2048", "--log-level", "warning", APPLICATION),
        ),
        "daphne": (
            *(PYTHON, "-m", "daphne", "--bind", "127.0.0.1", "--port", str(port), "--verbosity", "0"),
            *("--application-close-timeout", "1", APPLICATION),
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.servers", description="The same under four ASGI servers.")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of which the median counts (default: %(default)s)")
    parser.add_argument("--print", action="store_true", help="print only")
    options = parser.parse_args()
    results = Results()
    with TemporaryDirectory(prefix="bench") as folder:
        names = measure(results, Path(folder), options.rounds)
    text = f"{report.machine(options.rounds)}\n\n{_table(results, names)}"
    print(text)
    if not options.print:
        report.write("servers", text)


def measure(results: Results, folder: Path, count: int) -> Sequence[str]:
    """Round by round, every server in turn. Returns their names."""
    subject = SUBJECTS[0]
    with ExitStack() as stack:
        upstream = stack.enter_context(running("simulator", folder / "simulator"))
        servers = {"dialogix.serve": stack.enter_context(running("dialogix", folder / "dialogix", upstream.port))}
        for name in commands(0):
            port, own = free_port(), folder / name
            _migrate(environment(port, upstream.port, own))
            command = commands(port)[name]
            servers[name] = stack.enter_context(running(name, own, upstream.port, other=command, port=port))
        for server in servers.values():
            rounds.run(WARM_UP, subject, server, upstream)
        for scenario in (PACED, SHORT):
            for _ in range(count):
                for name, server in servers.items():
                    one = rounds.run(scenario, subject, server, upstream)
                    results.add(scenario, name, one)
                    print(f"{scenario.name:6} {name:15} {per_chunk(scenario, one):8.1f} us/chunk", flush=True)
    return tuple(servers)


def _migrate(variables: dict[str, str]) -> None:
    arguments = [PYTHON, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(arguments, cwd=ROOT, env=variables, check=True)


def _table(results: Results, names: Sequence[str]) -> str:
    rows = []
    for name in names:
        paced, short = results.median("paced", name, per_chunk), results.median("short", name, per_request)
        beside = results.ratio("paced", name, per_chunk, OURS), results.ratio("short", name, per_request, OURS)
        title = f"{name} {version(name)}" if name in commands(0) else name
        memory = results.median("paced", name, peak)
        rows.append([title, f"{paced:.1f}", f"{beside[0]:.2f}", f"{short:.2f}", f"{beside[1]:.2f}", f"{memory:.0f}"])
    head = ["server", "paced, us/chunk", f"beside {OURS}", "short, ms/request", f"beside {OURS}", "MiB at most"]
    return report.table(head, rows)


if __name__ == "__main__":
    main()
