"""The three providers as the environment sets them up."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from dialogix import env
from providers.conf import BASE_URL_VARIABLES, VENDORS, ProviderConfig

TEMPERATURE = 0.3
MAX_TOKENS = 8192
KEY = re.compile(r"[!-~]+")
"""What a header can carry. A placeholder that was left in its place, such as `…`, cannot be one."""

REASONING_MODELS = ("o1*", "o3*", "o4*", "gpt-5*")
"""OpenAI's models that refuse `temperature` and want `max_completion_tokens`."""

PROMPT = "You are a helpful assistant. Answer clearly and concisely, in the language of the question."


@dataclass(frozen=True, slots=True)
class _Defaults:
    """prefix: what the vendor's variables begin with;  prompt: the variable of the system prompt"""

    prefix: str
    prompt: str
    model: str
    fallback: str
    no_temperature: tuple[str, ...] = ()
    completion_tokens: tuple[str, ...] = ()


DEFAULTS = {
    "gpt": _Defaults("OPENAI", "GPT_SYSTEM_PROMPT", "gpt-4o", "gpt-4o-mini", REASONING_MODELS, REASONING_MODELS),
    "claude": _Defaults("ANTHROPIC", "CLAUDE_SYSTEM_PROMPT", "claude-3-5-sonnet-latest", "claude-3-5-haiku-latest"),
    "gemini": _Defaults("GEMINI", "GEMINI_SYSTEM_PROMPT", "gemini-2.0-flash", "gemini-1.5-pro"),
}


CONNECTIONS_BESIDE_REPLIES = 10
"""A reply takes one connection to a vendor at a time. A full house must not keep checks of its health waiting."""


def providers(simulator: str, replies: int) -> dict[str, ProviderConfig]:
    """Every provider by its name.

    simulator: `auto` (it answers for all where none is configured) or `off`
    replies:   the most that are under way in a process
    """
    connections = replies + CONNECTIONS_BESIDE_REPLIES
    found = {name: _provider(name, defaults, connections) for name, defaults in DEFAULTS.items()}
    if simulator == "off" or any(each.configured for each in found.values()):
        return found
    return {name: replace(each, simulated=True) for name, each in found.items()}


def _provider(name: str, defaults: _Defaults, connections: int) -> ProviderConfig:
    prefix, vendor = defaults.prefix, VENDORS[name]
    return ProviderConfig(
        name=name,
        vendor=vendor,
        variable=f"{prefix}_API_KEY",
        api_key=_key(f"{prefix}_API_KEY"),
        base_url=env.web_url(BASE_URL_VARIABLES[vendor]),
        default_model=env.text(f"{prefix}_MODEL_DEFAULT", defaults.model),
        fallback_model=env.text(f"{prefix}_MODEL_FALLBACK", defaults.fallback),
        temperature=env.number_or_none(f"{prefix}_TEMPERATURE", TEMPERATURE, most=2),
        max_tokens=env.integer_or_none(f"{prefix}_MAX_TOKENS", MAX_TOKENS, least=1),
        system_prompt=env.prompt(defaults.prompt, PROMPT),
        no_temperature=env.words(f"{prefix}_NO_TEMPERATURE_MODELS", defaults.no_temperature),
        completion_tokens=env.words(f"{prefix}_COMPLETION_TOKENS_MODELS", defaults.completion_tokens),
        pool_size=connections,
    )


def _key(name: str) -> str | None:
    key = env.secret(name)
    if key is not None and not KEY.fullmatch(key):
        env.refuse(name, "holds a character that no key has: only visible ASCII characters can be sent.")
    return key
