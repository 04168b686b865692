"""What test processes and the servers they start find in their environment, and where their files are."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = Path(tempfile.mkdtemp(prefix="dialogix-tests-"))
"""This run's files; they go when it ends."""

CLEAN = {
    "ENV_FILE": "",
    "STATE_DIR": str(FOLDER / "state"),
    "DJANGO_SECRET_KEY": "only-for-tests-and-long-enough-to-be-taken-for-a-real-one-0123456789",
    "FORBID_VENDORS": "1",
    "PORT": "0",
}
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "SSL_CERT_FILE", "PYTHONHASHSEED", "COVERAGE_PROCESS_START")
VARIABLE = re.compile(r"^\s*#?\s*([A-Z][A-Z0-9_]*)=", re.MULTILINE)


def is_ours(name: str) -> bool:
    """Whether `.env.example` knows the variable, or one like it would have an influence."""
    return name in _variables or (name.endswith("_FILE") and name.removesuffix("_FILE") in _variables)


def database() -> str:
    kind = os.environ.get("TEST_DATABASE", "sqlite")
    if kind not in ("sqlite", "postgres"):
        raise SystemExit(f"TEST_DATABASE is {kind!r}, neither sqlite nor postgres")
    return kind


def for_process(**variables: str) -> dict[str, str]:
    """The whole environment of a process that a test starts."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**kept, **CLEAN, **variables}


_variables = frozenset(VARIABLE.findall((ROOT / ".env.example").read_text(encoding="utf-8")))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
