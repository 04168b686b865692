from __future__ import annotations

import pytest

from providers.estimates import tokens, usage
from providers.events import Usage
from providers.messages import CompletionRequest, Message


@pytest.mark.parametrize(("text", "count"), [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("😀", 1), ("日本", 2)])
def test_it_counts_a_token_for_every_four_bytes(text: str, count: int) -> None:
    assert tokens(text) == count


def test_it_counts_half_a_surrogate_pair() -> None:
    assert tokens("\ud83d") == 1


def test_it_counts_instructions_and_messages_as_input() -> None:
    request = CompletionRequest([Message("user", "abcd"), Message("assistant", "efgh")], "gpt-4o", instructions="ijkl")
    assert usage(request, "mn") == Usage(input_tokens=3, output_tokens=1)
