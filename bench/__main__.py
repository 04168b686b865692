"""`python -m bench` writes what it finds into docs/performance.md; `--quick` prints one short round of each."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import chart, report, rounds
from bench.processes import Server, running
from bench.results import Results, per_chunk
from bench.scenarios import QUICK, SCENARIOS, SUBJECTS, UPSTREAM, WARM_UP, Scenario, Subject

ROUNDS = 3


def main() -> None:
    options = _options()
    chosen = [each for each in (QUICK if options.quick else SCENARIOS) if each.name in options.only]
    count = 1 if options.quick else options.rounds
    results = Results()
    with TemporaryDirectory(prefix="bench") as folder, running("simulator", Path(folder) / "simulator") as upstream:
        lasting = [each for each in chosen if not each.fresh]
        if lasting:
            with _servers(Path(folder), upstream) as servers:
                for scenario in lasting:
                    for _ in range(count):
                        _round(results, scenario, servers, upstream)
        for scenario in (each for each in chosen if each.fresh):
            for _ in range(count):
                _fresh_round(results, scenario, Path(folder), upstream)
    text = report.figures(results, count)
    print(text)
    if not options.quick and len(chosen) == len(SCENARIOS):
        chart.draw(results)
        report.write("results", f"{text}\n\n![The costs as bars]({chart.FILE.name})")


def _options() -> argparse.Namespace:
    names = [each.name for each in SCENARIOS]
    parser = argparse.ArgumentParser(prog="python -m bench", description="What a reply costs.")
    parser.add_argument("--quick", action="store_true", help="one short round, printed only")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of which the median counts (default: %(default)s)")
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="these scenarios; printed only")
    return parser.parse_args()


@contextmanager
def _servers(folder: Path, upstream: Server) -> Iterator[dict[str, Server]]:
    """All servers, each one process, warm."""
    with ExitStack() as stack:
        servers = {"simulator": upstream}
        for name in dict.fromkeys(subject.server for subject in SUBJECTS):
            servers[name] = stack.enter_context(running(name, folder / name, upstream.port))
        for subject in SUBJECTS:
            rounds.run(WARM_UP, subject, servers[subject.server], upstream)
        yield servers


def _round(results: Results, scenario: Scenario, servers: dict[str, Server], upstream: Server) -> None:
    """Every server in turn, so that whatever else the machine does hits all alike."""
    for subject in (*SUBJECTS, UPSTREAM) if scenario.name == "first" else SUBJECTS:
        _measure(results, scenario, subject, servers[subject.server], upstream)


def _fresh_round(results: Results, scenario: Scenario, folder: Path, upstream: Server) -> None:
    """The same, each on a server of its own: memory that an earlier round left behind would hide this one's."""
    for subject in SUBJECTS:
        with TemporaryDirectory(dir=folder) as own, running(subject.server, Path(own), upstream.port) as server:
            rounds.run(WARM_UP, subject, server, upstream)
            _measure(results, scenario, subject, server, upstream)


def _measure(results: Results, scenario: Scenario, subject: Subject, server: Server, upstream: Server) -> None:
    one = rounds.run(scenario, subject, server, upstream)
    results.add(scenario, subject.name, one)
    print(f"{scenario.name:6} {subject.name:17} {per_chunk(scenario, one):8.1f} us/chunk", flush=True)


if __name__ == "__main__":
    main()
