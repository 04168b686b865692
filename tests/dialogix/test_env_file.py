from __future__ import annotations

import os
from pathlib import Path

import pytest

from dialogix import env


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A `.env` file to write to; what it sets is forgotten after the test."""
    for name in ("SETTING", "OTHER"):
        monkeypatch.setenv(name, "")  # so that it is restored
        monkeypatch.delenv(name)
    return tmp_path / ".env"


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("SETTING=value", "value"),
        ("  SETTING = value  ", "value"),
        ("export SETTING=value", "value"),
        ("SETTING='two words # and more'", "two words # and more"),
        ('SETTING="value"', "value"),
        ("SETTING=value # why", "value"),
        ("SETTING=a#b", "a#b"),
        ("SETTING=a=b", "a=b"),
        ("SETTING=", ""),
    ],
)
def test_it_reads_an_assignment(line: str, value: str, read: Path) -> None:
    read.write_text(f"# first\n\n{line}\nOTHER=1\n")
    env.read_file(read)
    assert os.environ["SETTING"] == value


def test_it_changes_nothing_that_is_set(read: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTING", "set")
    read.write_text("SETTING=file\n")
    env.read_file(read)
    assert os.environ["SETTING"] == "set"


def test_it_needs_no_file(tmp_path: Path) -> None:
    env.read_file(tmp_path / "none")
    assert "SETTING" not in os.environ


def test_it_stops_at_a_line_that_it_does_not_understand(read: Path, capsys: pytest.CaptureFixture[str]) -> None:
    read.write_text("# first\nnonsense\n")
    with pytest.raises(SystemExit):
        env.read_file(read)
    assert "line 2" in capsys.readouterr().err
