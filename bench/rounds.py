"""One round: one scenario against one server, everything that it cost, and every reply read."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import ProxyHandler, Request, build_opener

import msgspec

from bench.load import Plan, Result
from bench.processes import PYTHON, ROOT, Server
from bench.scenarios import Scenario, Subject

SETTLE = 0.3
"""Seconds after the last reply in which the server may still be at work for it."""

MESSAGES = [{"role": "user", "content": "Hello there."}]
ASKING = {
    "simulator": ("/openai/v1/chat/completions", {"model": "gpt-4o", "messages": MESSAGES, "stream": True}),
}
"""Who is not asked as the contract has it: path and body."""

open_url = build_opener(ProxyHandler({})).open


class Round(msgspec.Struct):
    """What one round has shown.

    cpu:                    seconds of the server's tree
    upstream, load:         seconds of CPU of the simulator and of the clients, per second of the round
    idle, peak:             resident bytes of the tree, before and at most
    first:                  milliseconds to the first token, of every reply
    """

    cpu: float
    seconds: float
    upstream: float
    load: float
    idle: int
    peak: int
    first: list[float]


def play(scenario: Scenario, upstream: Server) -> None:
    """Have the upstream answer everything with the scenario's script."""
    script = msgspec.to_builtins(scenario.script)
    url = f"http://127.0.0.1:{upstream.port}/_simulator/scripts"
    open_url(Request(url, json.dumps([{"script": script}]).encode(), method="PUT")).close()


def run(scenario: Scenario, subject: Subject, server: Server, upstream: Server) -> Round:
    """Raises RuntimeError where a reply was not complete: what is measured must have been done."""
    play(scenario, upstream)
    with _clients(_plan(scenario, subject, server)) as clients, _peak(server) as peak:
        idle, cpu, upstream_cpu = server.memory(), server.cpu(), upstream.cpu()
        _say(clients, "ask", "done")
        time.sleep(SETTLE)
        cpu, upstream_cpu = server.cpu() - cpu, upstream.cpu() - upstream_cpu
        peak.append(server.memory())
        highest = max(peak)
        result = msgspec.json.decode(_say(clients, "report", "{"), type=Result)
    if result.problems or (scenario.spread and not result.together):
        found = result.problems[:3] or ["not all streams were open at once"]
        raise RuntimeError(f"{scenario.name}, {subject.name}: {len(result.problems)} replies are wrong: {found}")
    seconds = result.seconds
    return Round(cpu, seconds, upstream_cpu / seconds, result.cpu / seconds, idle, highest, result.first)


def _plan(scenario: Scenario, subject: Subject, server: Server) -> Plan:
    deltas = scenario.script.deltas()
    path, body = ASKING.get(subject.server, ("/chat/gpt", {"messages": MESSAGES}))
    return Plan(
        port=server.port,
        path=path,
        body=body,
        stored=subject.stored,
        clients=scenario.clients,
        requests=scenario.requests,
        spread=scenario.spread,
        expected="".join(deltas),
        opening=deltas[0],
    )


@contextmanager
def _clients(plan: Plan) -> Iterator[subprocess.Popen[str]]:
    arguments = [PYTHON, "-m", "bench.load", msgspec.json.encode(plan).decode()]
    with subprocess.Popen(arguments, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            _hear(process, "ready")
            yield process
        finally:
            process.kill()


def _say(process: subprocess.Popen[str], word: str, answer: str) -> str:
    assert process.stdin is not None
    process.stdin.write(f"{word}\n")
    process.stdin.flush()
    return _hear(process, answer)


def _hear(process: subprocess.Popen[str], answer: str) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line.startswith(answer):
        raise RuntimeError(f"the clients broke: {line!r}")
    return line


@contextmanager
def _peak(server: Server) -> Iterator[list[int]]:
    """Samples of the server's memory, five a second."""
    samples: list[int] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.2):
            samples.append(server.memory())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join()
