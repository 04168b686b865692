"""Scripts as values: what they send, how they travel, how a message asks for one."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.simulator.scripts import Script, directive

MODEL = ("openai", "gpt-4o")


@given(st.text(), st.none() | st.integers(1, 9))
def test_it_sends_the_whole_text_whatever_the_pieces(text: str, size: int | None) -> None:
    assert "".join(Script(text=text, size=size).deltas()) == text


@given(st.text())
def test_it_sends_no_empty_delta_of_a_text(text: str) -> None:
    assert all(Script(text=text).deltas())


def test_it_makes_as_many_chunks_as_asked() -> None:
    deltas = Script(chunks=1000, size=7).deltas()
    assert [len(delta) for delta in deltas] == [7] * 1000


def test_it_makes_chunks_of_a_text_again_and_again() -> None:
    assert Script(chunks=4, size=2, text="abc").deltas() == ("ab", "ca", "bc", "ab")


def test_it_travels_as_json() -> None:
    script = Script(chunks=("a", "b"), fault="drop", after=2)
    assert msgspec.json.decode(msgspec.json.encode(script), type=Script) == script


def test_it_paces_an_echo_for_people() -> None:
    assert (Script().pace, Script(text="a").pace) == (0.02, 0)


def test_it_reads_a_directive_within_a_message() -> None:
    text = "Please [[simulate chunks=100 delay=0.02 status=503]] now"
    assert directive(text, *MODEL) == Script(chunks=100, delay=0.02, status=503)


def test_it_reads_switches_and_words() -> None:
    text = "[[simulate burst=true usage=false fault=stall after=-1 finish=length]]"
    assert directive(text, *MODEL) == Script(burst=True, usage=False, fault="stall", after=-1, finish="length")


@pytest.mark.parametrize("limit", ["model=gpt-4o", "vendor=openai", "vendor=openai model=gpt-4o"])
def test_it_plays_a_directive_for_the_one_it_names(limit: str) -> None:
    assert directive(f"[[simulate status=503 {limit}]]", *MODEL) == Script(status=503)


@pytest.mark.parametrize("limit", ["model=gpt-4o-mini", "vendor=gemini", "vendor=gemini model=gpt-4o"])
def test_it_leaves_others_alone(limit: str) -> None:
    assert directive(f"[[simulate status=503 {limit}]]", *MODEL) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[[simulate]]",
        "[[simulate status]]",
        "[[simulate status=503]",
        "[[simulate status=abc]]",
        "[[simulate status=200]]",
        "[[simulate colour=red]]",
        "[[simulate delay=-1]]",
        "[[simulate fault=fire]]",
        "[[simulate status=503 status=500]]",
        "[[simulate status=503,delay=1]]",
        "[simulate status=503]",
    ],
)
def test_it_ignores_what_is_no_directive(text: str) -> None:
    assert directive(text, *MODEL) is None
