from __future__ import annotations

import re
import time

import pytest

from conversations import identifiers


def test_a_message_id_is_milliseconds_and_random_digits() -> None:
    assert re.fullmatch(r"msg-\d{38}", identifiers.message_id())


def test_a_conversation_id_is_milliseconds_and_random_digits() -> None:
    assert re.fullmatch(r"session-\d{38}", identifiers.conversation_id())


def test_an_id_begins_with_the_time() -> None:
    before = time.time_ns() // 1_000_000
    assert before <= int(identifiers.digits()[:13]) <= time.time_ns() // 1_000_000


def test_the_random_part_keeps_its_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.randbelow", lambda _: 7)
    assert identifiers.digits()[13:] == "7".zfill(25)


def test_no_two_ids_are_alike() -> None:
    assert len({identifiers.digits() for _ in range(1000)}) == 1000


def test_a_chunk_id_has_the_digits_of_its_message() -> None:
    assert identifiers.chunk_id("gpt", "msg-123") == "gpt-123"


@pytest.mark.parametrize("chosen", ["session-1736937000000", "a", "0", "A.b_c:d~e-f", "x" * 128])
def test_a_client_may_choose(chosen: str) -> None:
    assert identifiers.CHOSEN_ID.fullmatch(chosen)


@pytest.mark.parametrize("chosen", ["", "-a", ".a", "a b", "a/b", "ä", "a\n", "x" * 129, "a\0"])
def test_a_client_may_not_choose(chosen: str) -> None:
    assert identifiers.CHOSEN_ID.fullmatch(chosen) is None
