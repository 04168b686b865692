"""The files that describe deployments, parsed."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import yaml

from tests.services import environment

KUBERNETES = environment.ROOT / "deploy" / "kubernetes"
UNITS = {"": 1, "s": 1, "m": 60}


@cache
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((environment.ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    return found


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose()["services"]
    return found


@cache
def kubernetes() -> list[tuple[str, dict[str, Any]]]:
    """Every object of every file, with the file's name."""
    files = sorted(KUBERNETES.glob("*.yaml"))
    return [(file.name, each) for file in files for each in yaml.safe_load_all(file.read_text(encoding="utf-8"))]


def objects(kind: str) -> dict[str, dict[str, Any]]:
    """Those of one kind by their names."""
    return {each["metadata"]["name"]: each for _, each in kubernetes() if each["kind"] == kind}


def seconds(text: str) -> int:
    """Of `40s` or `2m`."""
    number, unit = re.fullmatch(r"(\d+)([a-z]*)", text).groups()  # type: ignore[union-attr]
    return int(number) * UNITS[unit]
