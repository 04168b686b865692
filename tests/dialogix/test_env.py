from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dialogix import env

REFUSED: list[tuple[str, Callable[[str], object]]] = [
    ("maybe", lambda name: env.boolean(name, default=False)),
    ("1.5", lambda name: env.integer(name, 1)),
    ("-1", lambda name: env.integer(name, 1)),
    ("70000", lambda name: env.integer(name, 1, most=65_535)),
    ("٣", lambda name: env.integer(name, 1)),
    ("soon", lambda name: env.number(name, 1)),
    ("nan", lambda name: env.number(name, 1)),
    ("inf", lambda name: env.number(name, 1)),
    ("3", lambda name: env.number_or_none(name, 1, most=2)),
    ("no", lambda name: env.integer_or_none(name, 1)),
    ("closed", lambda name: env.choice(name, "open", ("open", "required"))),
    ("500", lambda name: env.rate(name, "500/h")),
    ("0/h", lambda name: env.rate(name, "500/h")),
    ("5/w", lambda name: env.rate(name, "500/h")),
    ("ftp://host", env.web_url),
    ("http://", env.web_url),
    ("http://host:port", env.web_url),
    ("localhost:5000", lambda name: env.origins(name, ())),
    ("http://host/path", lambda name: env.origins(name, ())),
    ("*", lambda name: env.origins(name, ())),
    ("10.0.0.0/33", env.networks),
    ("proxy", env.networks),
]


@pytest.mark.parametrize(("value", "read"), REFUSED)
def test_it_stops_the_process_on_a_bad_value(
    value: str, read: Callable[[str], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SETTING", value)
    with pytest.raises(SystemExit) as stopped:
        read("SETTING")
    assert stopped.value.code == 2


@pytest.mark.parametrize(("value", "read"), REFUSED)
def test_it_names_the_variable_in_one_line(
    value: str, read: Callable[[str], object], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SETTING", value)
    with pytest.raises(SystemExit):
        read("SETTING")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("SETTING ")


def test_it_does_not_repeat_a_url_that_may_hold_a_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        env.url("DATABASE_URL", "mysql://me:hunter2@host/name", ("postgres",))
    assert "hunter2" not in capsys.readouterr().err


@pytest.mark.parametrize("value", ["", "  "])
def test_it_takes_a_variable_set_to_nothing_for_not_set(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTING", value)
    assert env.integer("SETTING", 7) == 7


def test_it_takes_an_empty_prompt_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTING", "")
    assert env.prompt("SETTING", "ours") == ""


@pytest.mark.parametrize("value", ["1", "true", "YES", "On"])
def test_it_reads_what_is_true(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTING", value)
    assert env.boolean("SETTING", default=False) is True


def test_it_reads_none_as_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTING", "none")
    assert env.number_or_none("SETTING", 0.3, most=2) is None


def test_it_ignores_spaces_in_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTING", " a , b,, c ")
    assert env.words("SETTING") == ("a", "b", "c")


def test_it_takes_an_address_for_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTING", "10.0.0.1, 2001:db8::/32")
    assert [str(network) for network in env.networks("SETTING")] == ["10.0.0.1/32", "2001:db8::/32"]


def test_it_reads_a_secret_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("sesame\n")
    monkeypatch.setenv("SETTING_FILE", str(file))
    assert env.secret("SETTING") == "sesame"


def test_it_refuses_a_secret_file_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SETTING_FILE", str(tmp_path / "none"))
    with pytest.raises(SystemExit):
        env.secret("SETTING")
