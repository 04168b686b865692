"""Text as a search sees it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.words import LONGEST, MOST, SEEN, wanted, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello, World! hello", ["hello", "world"]),
        ("don't snake_case", ["don", "t", "snake", "case"]),
        ("Straße ﬁne Ｗｉｄｅ", ["strasse", "fine", "wide"]),
        ("e\u0301te\u0301", ["été"]),
        ("soft\u00adhyphen", ["softhyphen"]),
        ("हिन्दी", ["हिन्दी"]),
        ("안녕하세요 여러분", ["안녕하세요", "여러분"]),
        ("東京都", ["東京", "京都", "都"]),
        ("a東b", ["a", "東", "b"]),
        ("カタカナ", ["カタ", "タカ", "カナ", "ナ"]),
        ("🎉 § *", []),
        ("", []),
    ],
)
def test_words_of_a_text(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("py python", ["python"]),
        ("東京都", ["東京", "京都"]),
        ("東", ["東"]),
        ("a OR b*", ["or", "a", "b"]),
        ("  !? ", []),
    ],
)
def test_words_of_a_query(query: str, words: list[str]) -> None:
    assert wanted(query) == words


def found(query: str, text: str) -> bool:
    return all(any(word.startswith(beginning) for word in words_of(text)) for beginning in wanted(query))


@given(st.text(max_size=200))
def test_every_text_is_found_by_itself(text: str) -> None:
    assert found(text, text)


@given(st.text(max_size=200))
def test_no_case_matters(text: str) -> None:
    assert words_of(text.casefold()) == words_of(text)


@given(st.text(alphabet="東京都の天気", min_size=2, max_size=20), st.data())
def test_any_two_neighbours_are_enough(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text) - 2))
    assert found(text[at : at + 2], text)


@given(st.text(max_size=300))
def test_words_hold_nothing_that_could_be_an_operator(text: str) -> None:
    assert not set("".join(words_of(text) + wanted(text))) & set(" \t\n\0'\"*:()&|!<>^+-{}§%_\\")


def test_the_words_of_one_text_are_bounded() -> None:
    words = words_of(" ".join(f"{at}{'x' * 100}" for at in range(20_000)))
    assert (len(words) <= MOST, max(map(len, words))) == (True, LONGEST)


def test_a_text_is_read_to_a_bounded_length() -> None:
    assert "end" not in words_of("x " * SEEN + "end")
