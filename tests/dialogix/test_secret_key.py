from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dialogix import secretkey


def test_it_keeps_the_key(tmp_path: Path) -> None:
    file = tmp_path / "state" / "key"
    assert secretkey.kept(file) == secretkey.kept(file)


def test_it_makes_a_long_key(tmp_path: Path) -> None:
    assert len(secretkey.kept(tmp_path / "key")) >= 64


def test_it_lets_nobody_else_read_it(tmp_path: Path) -> None:
    secretkey.kept(tmp_path / "state" / "key")
    assert (tmp_path / "state" / "key").stat().st_mode & 0o777 == 0o600


def test_it_gives_all_who_ask_at_once_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: secretkey.kept(tmp_path / "key"), range(64)))
    assert len(keys) == 1


def test_it_leaves_no_drafts_behind(tmp_path: Path) -> None:
    secretkey.kept(tmp_path / "key")
    assert [file.name for file in tmp_path.iterdir()] == ["key"]
