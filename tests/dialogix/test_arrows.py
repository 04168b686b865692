"""Imports run one way, and only adapters know a vendor's SDK: `[tool.importlinter]` says it, and this proves it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.services.environment import ROOT


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("arrows")
    for name in ("dialogix", "conversations", "providers"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_they_hold() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "statement"),
    [
        ("providers/fallback.py", "import conversations"),
        ("conversations/turns.py", "import dialogix"),
        ("conversations/turns.py", "import openai"),
        ("dialogix/health.py", "import anthropic"),
        ("providers/registry.py", "from google import genai"),
        ("providers/wire.py", "import django"),
    ],
)
def test_an_import_against_them_is_found(module: str, statement: str, copy: Path) -> None:
    file = copy / module
    before = file.read_text()
    file.write_text(f"{before}\n{statement}\n")
    done = lint(copy)
    file.write_text(before)
    assert done.returncode == 1, done.stdout


@pytest.mark.parametrize("module", ["providers.fallback", "providers.pool", "providers.adapters.openai"])
def test_the_core_of_providers_works_without_django(module: str) -> None:
    code = f"import sys; sys.modules['django'] = None; import {module}"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
