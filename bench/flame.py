"""Where the time goes: `python -m bench.flame paced --stored` (`make profile`), a flame graph by py-spy.

It attaches to the warm server, which some systems allow only to root. The graph goes to .state, which Git ignores.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import rounds
from bench.processes import PYTHON, ROOT, Server, running
from bench.results import per_chunk, per_request
from bench.scenarios import BURST, PACED, SHORT, SUBJECTS, WARM_UP, Scenario, Subject

FOLDER = ROOT / ".state" / "flame"
RATE = "500"
"""Samples a second."""

# Long enough for some thousand samples.
SCENARIOS = {each.name: each for each in (replace(BURST, requests=100), PACED, replace(SHORT, requests=2000))}


def main() -> None:
    options = _options()
    scenario = SCENARIOS[options.scenario]
    subject = SUBJECTS[1] if options.stored else SUBJECTS[0]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="bench")))
        upstream = stack.enter_context(running("simulator", folder / "simulator"))
        server = stack.enter_context(running(subject.server, folder / subject.server, upstream.port))
        rounds.run(WARM_UP, subject, server, upstream)
        graph = _record(scenario, subject, server, upstream, gil=options.gil)
    print(f"The flame graph is in {graph.relative_to(ROOT)}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.flame", description="A flame graph of the server.")
    parser.add_argument("scenario", nargs="?", choices=tuple(SCENARIOS), default="paced")
    parser.add_argument("--stored", action="store_true", help="with every reply stored")
    parser.add_argument("--gil", action="store_true", help="only what holds the interpreter's lock")
    return parser.parse_args()


def _record(scenario: Scenario, subject: Subject, server: Server, upstream: Server, *, gil: bool) -> Path:
    FOLDER.mkdir(parents=True, exist_ok=True)
    graph = FOLDER / f"{scenario.name}{'-stored' if subject.stored else ''}.svg"
    command = [
        Path(PYTHON).with_name("py-spy"),
        "record",
        "--pid",
        str(server.process.pid),
        "--rate",
        RATE,
        "--output",
        str(graph),
    ]
    recorder = subprocess.Popen(
        [*command, "--duration", "3600", *(["--gil"] if gil else [])], stdout=subprocess.DEVNULL
    )
    time.sleep(1)  # until it is there
    one = rounds.run(scenario, subject, server, upstream)
    recorder.send_signal(signal.SIGINT)
    if recorder.wait():
        raise SystemExit("py-spy could not watch the server; some systems allow that only to root.")
    print(f"{per_chunk(scenario, one):.1f} us/chunk, {per_request(scenario, one):.2f} ms/request while watched")
    return graph


if __name__ == "__main__":
    main()
