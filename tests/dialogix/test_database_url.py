from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dialogix import database

BASE = Path("/base")


def configured(url: str | None, default: Path = BASE / "default") -> dict[str, Any]:
    return database.configuration("DATABASE_URL", url, default=default, base=BASE)


def test_it_is_a_sqlite_file_by_default(tmp_path: Path) -> None:
    assert configured(None, tmp_path / "state" / "file")["NAME"] == tmp_path / "state" / "file"


def test_it_makes_the_default_files_folder_for_its_owner_alone(tmp_path: Path) -> None:
    configured(None, tmp_path / "state" / "file")
    assert (tmp_path / "state").stat().st_mode & 0o077 == 0


def test_it_takes_a_file_beside_the_project() -> None:
    assert configured("sqlite:///file.sqlite3")["NAME"] == BASE / "file.sqlite3"


def test_it_takes_a_file_anywhere() -> None:
    assert configured("sqlite:////var/file.sqlite3")["NAME"] == Path("/var/file.sqlite3")


def test_it_reads_a_postgres_url() -> None:
    found = configured("postgres://me:p%40ss@host:5433/name")
    parts = [found[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME")]
    assert parts == ["me", "p@ss", "host", "5433", "name"]


def test_it_passes_the_query_to_postgres() -> None:
    assert configured("postgres://host/name?sslmode=require")["OPTIONS"]["sslmode"] == "require"


@pytest.mark.parametrize("url", ["mysql://host/name", "postgres://host", "postgres://host/", "sqlite://file", "name"])
def test_it_refuses_what_names_no_database(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        configured(url)
    assert capsys.readouterr().err.startswith("DATABASE_URL ")
