from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import Malformed
from providers.wire import SSEDecoder, WireEvent

LINES = st.sampled_from(
    [
        "data: one", "data:two", "data:  three", "data", "data:", "data: ", "event: ping", "event:", "id: 7",
        "retry: 9", ": comment", ":", "", "", "", "unknown: x", "no colon",
        "data: 🌍 \u2028 \x0b \x85", "\ufeffdata: late",
    ]
)  # fmt: skip
ENDS = st.sampled_from(["\n", "\n", "\r\n", "\r"])
STREAMS = st.builds(
    lambda mark, lines, rest: (mark + "".join(map("".join, lines)) + rest).encode(),
    st.sampled_from(["", "\ufeff"]),
    st.lists(st.tuples(LINES, ENDS), max_size=30),
    st.sampled_from(["", "data: cut off", "\r"]),
)
USUAL = st.lists(st.sampled_from(['data: {"a":1}', 'event: x\ndata: {"b":"🌍"}', "data: [DONE]", ": ping"])).map(
    lambda blocks: "".join(block + "\n\n" for block in blocks).encode()
)


def decode(stream: bytes, *cuts: int, limit: int = 1000) -> list[WireEvent]:
    decoder = SSEDecoder(limit)
    edges = [0, *sorted(cuts), len(stream)]
    return [event for start, end in pairwise(edges) for event in decoder.feed(stream[start:end])]


def by_the_standard(stream: bytes) -> list[WireEvent]:
    """The standard's algorithm to the letter, over the whole stream at once."""
    text = stream.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    events, name, data = [], b"", b""
    for line in text.split(b"\n")[:-1]:
        field, _, value = line.partition(b":")
        value = value[1:] if value.startswith(b" ") else value
        if not line:
            events += [(name, data[:-1])] if data else []
            name, data = b"", b""
        elif field == b"data":
            data += value + b"\n"
        elif field == b"event":
            name = value
    return events


@given(STREAMS | USUAL, st.data())
def test_it_gives_the_same_events_at_every_split(stream: bytes, data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=12))
    assert decode(stream, *cuts) == by_the_standard(stream)


@given(STREAMS | USUAL)
def test_it_gives_the_same_events_byte_by_byte(stream: bytes) -> None:
    assert decode(stream, *range(len(stream))) == by_the_standard(stream)


def test_it_gives_an_event_with_its_blank_line_and_not_later() -> None:
    decoder = SSEDecoder()
    assert decoder.feed(b"data: x\r\n\r") == [(b"", b"x")]


def test_it_bears_an_empty_read_within_a_line_end() -> None:
    decoder = SSEDecoder()
    assert [decoder.feed(read) for read in (b"data: a\r", b"", b"\ndata: b\n\n")] == [[], [], [(b"", b"a\nb")]]


def test_it_joins_several_data_lines() -> None:
    assert decode(b"data: a\ndata:  b\ndata:\n\n") == [(b"", b"a\n b\n")]


def test_it_tells_the_name_of_an_event_once() -> None:
    assert decode(b"event: error\ndata: x\n\ndata: y\n\n") == [(b"error", b"x"), (b"", b"y")]


def test_it_drops_an_event_that_the_end_cuts_off() -> None:
    assert decode(b"data: x\n\ndata: y\n") == [(b"", b"x")]


def test_it_takes_an_event_up_to_its_limit() -> None:
    assert SSEDecoder(limit=100).feed(b"data: " + b"x" * 94 + b"\n\n") == [(b"", b"x" * 94)]


@pytest.mark.parametrize("cut", [1, 50, 100, 101, 102])
@pytest.mark.parametrize(
    "stream", [b"data: " + b"x" * 95 + b"\n\n", b"data: x\n" * 40, b"data: x" * 40, b":" * 101, b"event: xx\n" * 20]
)
def test_it_refuses_an_event_without_an_end(stream: bytes, cut: int) -> None:
    with pytest.raises(Malformed):
        decode(stream, cut, limit=100)


def test_it_bears_any_number_of_comments() -> None:
    decoder = SSEDecoder(limit=100)
    assert [decoder.feed(b": still here\n") for _ in range(100)] == [[]] * 100
