from __future__ import annotations

import io

import pytest
from django.core.management.base import OutputWrapper

from conversations.commands import progress
from conversations.commands.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(stream: io.StringIO, total: int | None, steps: int) -> str:
    with Progress(OutputWrapper(stream), "Things done", total) as counted:
        for _ in range(steps):
            counted.advance()
    return stream.getvalue()


@pytest.fixture
def every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "REDRAWN", 0)
    monkeypatch.setattr(progress, "REPEATED", 0)


def test_it_draws_a_bar_on_a_terminal(every_step: None) -> None:
    assert "[###############...............]  50% 1 of 2" in shown(Terminal(), 2, 1)


def test_it_counts_where_the_sum_is_not_known(every_step: None) -> None:
    assert "\x1b[KThings done: 2" in shown(Terminal(), None, 2)


def test_it_clears_the_bar_at_the_end(every_step: None) -> None:
    assert shown(Terminal(), 2, 2).rpartition("\r\x1b[K")[2].startswith("Things done: 2 of 2 in")


def test_it_writes_plain_lines_elsewhere(every_step: None) -> None:
    lines = shown(io.StringIO(), 2, 2)
    assert (lines.splitlines()[:2], "\x1b" in lines) == (["Things done: 1 of 2", "Things done: 2 of 2"], False)


def test_it_writes_seldom() -> None:
    assert len(shown(io.StringIO(), 1000, 1000).splitlines()) == 1
