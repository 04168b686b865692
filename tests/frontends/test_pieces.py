"""Every piece of the page is there, and run by a test of this folder."""

from __future__ import annotations

from pathlib import Path

from tests.frontends.pieces import PAGE, pieces


def test_it_has_a_piece_for_every_kind_of_client() -> None:
    assert pieces().keys() == {"chat.js", "rejoin.js", "native.js", "chat.py", "sdk.py", "sdk.js", "mirror.js"}


def test_it_names_a_file_in_every_block_of_code() -> None:
    fences = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("```")]
    assert len(fences) == 2 * len(pieces())


def test_it_runs_every_piece() -> None:
    here = Path(__file__).parent
    tests = [*here.glob("test_*.py"), *here.glob("drivers/*")]
    code = "".join(file.read_text(encoding="utf-8") for file in tests if file.name != Path(__file__).name)
    assert [name for name in pieces() if name not in code] == []
