from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import Malformed
from providers.text import Text, decode

HALVES = st.characters(categories=["Cs"])
ANY_TEXT = st.text() | st.text(HALVES | st.characters() | st.just("\0"))
LOOSE: msgspec.json.Decoder[Any] = msgspec.json.Decoder(dict[str, str])


def pieces(text: str, cuts: list[int]) -> list[str]:
    """The text as a server sends it that counts in UTF-16 units, cut without regard to characters."""
    units = text.encode("utf-16-le", "surrogatepass")
    edges = [0, *sorted(2 * (cut % (len(units) // 2 + 1)) for cut in cuts), len(units)]
    return [units[start:end].decode("utf-16-le", "surrogatepass") for start, end in pairwise(edges)]


def joined(*texts: str) -> str:
    """Every text through JSON, as ASCII, which is how such servers send it."""
    reply = Text()
    told = [reply.add(decode(json.dumps({"content": text}).encode(), LOOSE)["content"]) for text in texts]
    return "".join([*told, reply.end()])


@given(st.text(), st.lists(st.integers(0, 1000), max_size=8))
def test_it_joins_what_was_split_anywhere(text: str, cuts: list[int]) -> None:
    assert joined(*pieces(text, cuts)) == text.replace("\0", "")


@given(st.lists(ANY_TEXT))
def test_it_gives_text_that_every_encoder_takes(texts: list[str]) -> None:
    assert "\0" not in joined(*texts).encode().decode()


def test_it_replaces_a_half_without_a_partner() -> None:
    assert joined("a\ud83d", "b", "\ude00c", "\ud83d") == "a\ufffdb\ufffdc\ufffd"


def test_it_holds_a_first_half_until_its_partner_comes() -> None:
    text = Text()
    assert [text.add("a\ud83d"), text.add(""), text.add("\ude00"), text.end()] == ["a", "", "😀", ""]


def test_it_drops_nul() -> None:
    assert joined("a\0b", "\0") == "ab"


def test_it_replaces_bytes_that_are_no_text() -> None:
    assert decode(b'{"content": "a\xffb"}', LOOSE) == {"content": "a\ufffdb"}


@pytest.mark.parametrize(
    "payload",
    [b"", b"nonsense", b"[1]", b'{"content": 1}', b'{"content"', b"[" * 100_000, b'{"content": ' + b"9" * 9999],
)
def test_it_says_when_something_is_not_the_protocol(payload: bytes) -> None:
    with pytest.raises(Malformed):
        decode(payload, LOOSE)
