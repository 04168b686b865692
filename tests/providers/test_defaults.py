from __future__ import annotations

from dataclasses import replace

from providers.conf import ProviderConfig
from providers.defaults import Configured, filled_in, unopinionated
from tests.providers.fakes import REPLY, REQUEST, answering

CONFIG = ProviderConfig(
    name="claude",
    vendor="anthropic",
    variable="ANTHROPIC_API_KEY",
    api_key="a key",
    base_url=None,
    default_model="claude-3-5-sonnet-latest",
    fallback_model="claude-3-5-haiku-latest",
    temperature=0.3,
    max_tokens=8192,
    system_prompt="Be kind.",
)


def test_it_puts_the_system_prompt_before_the_instructions() -> None:
    assert filled_in(replace(REQUEST, instructions="Be brief."), CONFIG).instructions == "Be kind.\n\nBe brief."


def test_it_asks_with_the_system_prompt_alone() -> None:
    assert filled_in(REQUEST, CONFIG).instructions == "Be kind."


def test_it_asks_with_the_instructions_alone() -> None:
    request = replace(REQUEST, instructions="Be brief.")
    assert filled_in(request, replace(CONFIG, system_prompt="")).instructions == "Be brief."


def test_it_fills_in_temperature_and_token_limit() -> None:
    filled = filled_in(REQUEST, CONFIG)
    assert (filled.temperature, filled.max_tokens) == (0.3, 8192)


def test_it_keeps_what_a_request_says_itself() -> None:
    filled = filled_in(replace(REQUEST, temperature=0.0, max_tokens=1), CONFIG)
    assert (filled.temperature, filled.max_tokens) == (0.0, 1)


def test_it_leaves_the_request_as_it_was() -> None:
    filled_in(REQUEST, CONFIG)
    assert (REQUEST.instructions, REQUEST.temperature) == ("", None)


def test_it_keeps_only_the_limit_anthropic_demands_for_those_who_want_no_defaults() -> None:
    filled = filled_in(REQUEST, unopinionated(CONFIG))
    assert (filled.instructions, filled.temperature, filled.max_tokens) == ("", None, 8192)


def test_it_keeps_no_limit_of_the_others_for_those_who_want_no_defaults() -> None:
    assert filled_in(REQUEST, unopinionated(replace(CONFIG, vendor="openai"))) == REQUEST


async def test_it_hands_the_filled_request_to_its_source() -> None:
    source = answering()
    assert [event async for event in Configured(source, CONFIG).stream(REQUEST)] == list(REPLY)
    assert source.asked == [filled_in(REQUEST, CONFIG)]
