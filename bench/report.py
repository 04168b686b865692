"""The figures as Markdown, and their place in docs/performance.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.processes import ROOT
from bench.results import (
    BARS,
    DIALOGIX,
    FIRST_TOKEN_BARS,
    STORED,
    Results,
    peak,
    per_chunk,
    per_request,
    per_stream,
)
from bench.scenarios import SUBJECTS

PAGE = ROOT / "docs" / "performance.md"
PACKAGES = ("django", "uvicorn", "uvloop", "aiohttp", "msgspec", "openai", "fastapi")


def write(name: str, text: str, page: Path = PAGE) -> None:
    """Put the text between the page's markers of that name, and leave everything around it as it is."""
    begin, end = f"<!-- bench:{name} -->", f"<!-- /bench:{name} -->"
    old = page.read_text(encoding="utf-8") if page.exists() else "# Performance\n"
    if begin not in old:
        old = f"{old.rstrip()}\n\n{begin}\n{end}\n"
    before, rest = old.split(begin, 1)
    page.write_text(f"{before}{begin}\n{text.strip()}\n{end}{rest.split(end, 1)[1]}", encoding="utf-8")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def figures(results: Results, rounds: int) -> str:
    """The whole section of a run."""
    loads = "\n".join(f"- **{each.name}**: {each.meaning}" for each in results.scenarios.values())
    upstream, clients = results.busiest()
    calm = (
        f"Where the pace is given, the upstream took at most {upstream:.0%} of a core and the clients {clients:.0%}: "
        "neither is what is measured. Every reply was compared with what the upstream sent, stored ones also in the "
        "history."
    )
    parts = [machine(rounds), loads, _costs(results), _first_token(results), _bars(results), calm]
    return "\n\n".join(part for part in parts if part)


def machine(rounds: int) -> str:
    names = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return (
        f"{when}, {_processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {platform.system()}, "
        f"Python {platform.python_version()}; {names}. CPU is user and system time of the server's whole process tree, "
        f"one worker each. Medians of {rounds}."
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def _costs(results: Results) -> str:
    """CPU and memory, subject by subject."""
    names = [name for name in ("burst", "paced", "short", "many") if name in results.scenarios]
    columns = [
        (f"{name}, {unit}", name, measure)
        for name in names
        for unit, measure in (("us/chunk", per_chunk), ("ms/request", per_request))
    ]
    if "many" in names:
        columns += [("many, KiB/stream", "many", per_stream), ("many, MiB at most", "many", peak)]
    rows = [
        [subject.name, *(_number(results.median(name, subject.name, measure)) for _, name, measure in columns)]
        for subject in SUBJECTS
    ]
    return table(["server", *(title for title, _, _ in columns)], rows)


def _first_token(results: Results) -> str:
    if "first" not in results.scenarios:
        return ""
    rows = [
        [
            subject.name,
            f"{results.first_token(subject.name, 0.5):.1f}",
            f"{results.first_token(subject.name, 0.99):.1f}",
        ]
        for subject in SUBJECTS
    ]
    return table(["time to first token beyond the upstream's", "p50, ms", "p99, ms"], rows)


def _bars(results: Results) -> str:
    rows = []
    for bar in BARS:
        if bar.scenario in results.scenarios:
            reached = [results.reached(bar, subject) for subject in (DIALOGIX, STORED)]
            row = [_judged(*pair, bar.unit) for pair in zip(reached, (bar.unstored, bar.stored), strict=True)]
            rows.append([f"{bar.scenario}: {bar.what}", *row])
    if "first" in results.scenarios:
        reached = [results.first_token(subject, 0.5) for subject in (DIALOGIX, STORED)]
        row = [_judged(*pair, "ms") for pair in zip(reached, FIRST_TOKEN_BARS, strict=True)]
        rows.append(["first: time to first token beyond the upstream's, p50", *row])
    return table(["bar", "not stored", "stored"], rows)


def _judged(reached: float, limit: float, unit: str) -> str:
    sign = "≤" if reached <= limit else "**>**"
    return f"{_number(reached)} {sign} {limit:g} {unit}".strip()


def _number(value: float) -> str:
    if abs(value) < 1:
        return f"{value:.3f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}" if abs(value) < 100 else f"{value:.0f}"
