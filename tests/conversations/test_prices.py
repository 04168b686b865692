from __future__ import annotations

from decimal import Decimal

import pytest

from conversations.prices import cost, total


@pytest.mark.parametrize(
    ("provider", "model"),
    [("gpt", "gpt-4o"), ("claude", "claude-3-5-sonnet-latest"), ("gemini", "gemini-1.5-pro")],
)
def test_it_knows_the_documented_models(provider: str, model: str) -> None:
    assert (cost(provider, model, 1000, 1000) or 0) > 0


def test_it_counts_both_directions() -> None:
    assert cost("gpt", "gpt-4o", 1_000_000, 0) == Decimal("2.5")
    assert cost("gpt", "gpt-4o", 0, 1_000_000) == Decimal(10)


@pytest.mark.parametrize(("provider", "model"), [("gpt", "llama-of-the-house"), ("elsewhere", "gpt-4o"), ("gpt", "")])
def test_it_does_not_take_unknown_for_free(provider: str, model: str) -> None:
    assert cost(provider, model, 1000, 1000) is None


def test_it_prices_many_replies_by_their_average() -> None:
    """This model costs more beyond 200000 tokens in one request, which none of these had."""
    one = cost("gemini", "gemini-2.5-pro", 1000, 500)
    assert one is not None
    assert cost("gemini", "gemini-2.5-pro", 1_000_000, 500_000, requests=1000) == one * 1000


def test_it_prices_tokens_that_are_fewer_than_the_replies() -> None:
    assert cost("gpt", "gpt-4o", 2, 1, requests=1000) == Decimal("0.000015")


def test_it_adds_up() -> None:
    assert total([Decimal(1), Decimal(2)]) == 3
    assert total([]) == 0


def test_it_knows_no_sum_of_something_unknown() -> None:
    assert total([Decimal(1), None]) is None
