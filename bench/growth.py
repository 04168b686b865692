"""How a stored reply's cost grows with its length, with the streams beside it, and with what its conversation holds.

python -m bench.growth      into docs/performance.md, in about two minutes
"""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from bench import report, rounds
from bench.processes import PYTHON, ROOT, Server, environment, running
from bench.results import per_chunk, per_request
from bench.scenarios import PACED, SHORT, SUBJECTS, WARM_UP
from providers.simulator.scripts import Script

STORED = SUBJECTS[1]
LENGTHS = (20, 200, 2_000, 20_000)
STREAMS = (10, 50, 200)
HELD = (2, 50, 500, 5_000)
"""Messages in a conversation before the turns that are measured."""

TURNS = 60
SEED = """
from datetime import UTC, datetime
from conversations.commands.filler import Filler
from conversations.store import seeding
filler = Filler(None, datetime.now(UTC), seed=1)
for held in {held}:
    seeded = filler.conversation(held)
    seeded.conversation.public_id = f"holds-{{held}}"
    seeding.write([seeded], {{}})
"""


def main() -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="growth")))
        upstream = stack.enter_context(running("simulator", folder / "simulator"))
        server = stack.enter_context(running(STORED.server, folder / "dialogix", upstream.port))
        rounds.run(WARM_UP, STORED, server, upstream)
        tables = [_lengths(server, upstream), _streams(server, upstream), _held(server, upstream, folder / "dialogix")]
    text = "\n\n".join([report.machine(1), *tables])
    print(text)
    report.write("growth", text)


def _lengths(server: Server, upstream: Server) -> str:
    rows = []
    for chunks in LENGTHS:
        script = Script(chunks=chunks, burst=True)
        scenario = replace(SHORT, script=script, chunks=chunks, requests=max(4, 4_000 // chunks))
        one = rounds.run(scenario, STORED, server, upstream)
        rows.append((f"{chunks:,}", f"{per_request(scenario, one):.2f}", f"{per_chunk(scenario, one):.1f}"))
    return report.table(("chunks in a reply, at full speed", "ms/reply", "us/chunk"), rows)


def _streams(server: Server, upstream: Server) -> str:
    rows = []
    for clients in STREAMS:
        scenario = replace(PACED, script=Script(chunks=100, delay=0.1), chunks=100, clients=clients)
        one = rounds.run(scenario, STORED, server, upstream)
        share = one.cpu / one.seconds
        rows.append((str(clients), f"{per_chunk(scenario, one):.0f}", f"{share:.1%}"))
    return report.table(("streams of ten chunks a second", "us/chunk", "of a core"), rows)


def _held(server: Server, upstream: Server, folder: Path) -> str:
    command = [PYTHON, "manage.py", "shell", "--no-imports", "--command", SEED.format(held=HELD)]
    subprocess.run(command, cwd=ROOT, env=environment(server.port, upstream.port, folder), check=True)
    rounds.play(SHORT, upstream)
    rows = []
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", trust_env=False) as client:
        for held in HELD:
            spent = server.cpu()
            for turn in range(TURNS):
                _ask(client, f"holds-{held}", f"Question {turn}")
            rows.append((f"{held:,}", f"{(server.cpu() - spent) / TURNS * 1000:.2f}"))
    return report.table(("messages in the conversation", "ms/turn"), rows)


def _ask(client: httpx.Client, conversation: str, question: str) -> None:
    body = {"conversation_id": conversation, "messages": [{"role": "user", "content": question}]}
    answer = client.post("/chat/gpt", json=body).raise_for_status()
    if not answer.text.endswith("data: [DONE]\n\n"):
        raise RuntimeError(f"a reply was not complete: {answer.text[-200:]}")


if __name__ == "__main__":
    main()
