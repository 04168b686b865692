"""What replies cost, from the list prices that `genai-prices` brings along. Nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

VENDORS = {"gpt": "openai", "claude": "anthropic", "gemini": "google"}
"""Our providers, as the price list calls them."""


def cost(provider: str, model: str, input_tokens: int, output_tokens: int, *, requests: int = 1) -> Decimal | None:
    """US dollars for all of these tokens; None where the price is unknown, which is not the same as nothing.

    requests: over how many replies the tokens are spread. Some models cost more beyond so many tokens of one request,
    so many replies are priced by their average.
    """
    from genai_prices import Usage, calc_price  # noqa: PLC0415  (reading the list takes half a second)

    each_in, each_out = _average(input_tokens, requests), _average(output_tokens, requests)
    usage = Usage(input_tokens=each_in, output_tokens=each_out)
    try:
        price = calc_price(usage, model, provider_id=VENDORS.get(provider, provider))
    except LookupError:
        return None
    if (
        getattr(price.model_price, "input_mtok", None) is None
        or getattr(price.model_price, "output_mtok", None) is None
    ):
        return None
    return price.input_price * input_tokens / (each_in or 1) + price.output_price * output_tokens / (each_out or 1)


def total(costs: Iterable[Decimal | None]) -> Decimal | None:
    """Their sum, or None where one of them is unknown."""
    known = list(costs)
    return None if any(each is None for each in known) else sum((each for each in known if each), Decimal(0))


def _average(tokens: int, requests: int) -> int:
    """Rounded up, so that some tokens never become none."""
    return -(-tokens // max(1, requests))
