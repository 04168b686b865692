"""The Dockerfile as what it says, and its application laid out in a folder as in the image."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.services import environment

TEXT = (environment.ROOT / "Dockerfile").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Instruction:
    """stage: its name, or `final`;  words: what stands behind the keyword"""

    stage: str
    keyword: str
    words: str


@cache
def instructions(keyword: str, stage: str | None = None) -> list[Instruction]:
    """Those with the keyword, in the stage or in all, in their order."""
    return [each for each in _all() if each.keyword == keyword and stage in (None, each.stage)]


def _all() -> list[Instruction]:
    found, stage = [], ""
    for line in re.sub(r"\\\n\s*", "", re.sub(r"(?m)^\s*#.*\n?", "", TEXT)).splitlines():
        keyword, _, words = line.strip().partition(" ")
        if keyword == "FROM":
            stage = words.partition(" AS ")[2] or "final"
        if keyword:
            found.append(Instruction(stage, keyword, words.strip()))
    return found


def copied() -> list[tuple[str, str]]:
    """What comes from the project: source and destination."""
    copies = [shlex.split(each.words) for each in instructions("COPY")]
    return [(source, words[-1]) for words in copies if not words[0].startswith("--from") for source in words[:-1]]


def lay_out(folder: Path) -> Path:
    """The final stage's /app: what is copied, and what the build then makes. Nothing in it can be written any more."""
    for source, destination in copied():
        if destination.startswith("/"):
            continue
        if (environment.ROOT / source).is_dir():
            shutil.copytree(
                environment.ROOT / source, folder / destination, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(environment.ROOT / source, folder / destination)
    build = next(each.words for each in instructions("RUN", "application"))
    build = build.replace("/opt/venv/bin/python", sys.executable).replace("/tmp/state", f"{folder}-state")
    subprocess.run(["sh", "-ec", build], cwd=folder, env=environment.for_process(), check=True)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode & ~0o222)
    return folder


def without_privileges(command: list[str]) -> list[str]:
    """The command so that it is stopped by a file's mode, as the image's user is, also where root runs the tests."""
    if os.geteuid() != 0:
        return command
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner", *command]
