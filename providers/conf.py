"""How each provider is set up: a plain value, built once from the settings."""

from __future__ import annotations

from dataclasses import dataclass

VENDORS = {"gpt": "openai", "claude": "anthropic", "gemini": "gemini"}
"""The name a client uses in the path -> the adapter module that speaks for it."""

BASE_URL_VARIABLES = {
    "openai": "OPENAI_BASE_URL",
    "anthropic": "ANTHROPIC_BASE_URL",
    "gemini": "GOOGLE_GEMINI_BASE_URL",
}
"""The adapter module -> the environment variable with its vendor's base URL, the one the vendor's own SDK reads."""


@dataclass(frozen=True, slots=True)
class ProviderConfig:
    """One provider as configured by the environment.

    name:                    `gpt`, `claude` or `gemini`
    vendor:                  module in `providers.adapters`
    variable:                the environment variable that would configure it, for messages
    api_key, base_url:       None where not set; configured when either is
    default_model, fallback_model
    temperature, max_tokens: sent with every request of the documents' routes; None: not sent
    system_prompt:           goes before a request's own instructions; empty: none
    no_temperature:          glob patterns of models that refuse sampling parameters
    completion_tokens:       glob patterns of models that want `max_completion_tokens`
    simulated:               answered by the simulator at `base_url`
    pool_size:               the most connections to the vendor at once
    """

    name: str
    vendor: str
    variable: str
    api_key: str | None
    base_url: str | None
    default_model: str
    fallback_model: str
    temperature: float | None
    max_tokens: int | None
    system_prompt: str
    no_temperature: tuple[str, ...] = ()
    completion_tokens: tuple[str, ...] = ()
    simulated: bool = False
    pool_size: int = 2000

    @property
    def configured(self) -> bool:
        return bool(self.api_key or self.base_url)

    @property
    def usable(self) -> bool:
        """Whether anybody answers for it: its vendor, or the simulator in its stead."""
        return self.simulated or self.configured

    @property
    def models(self) -> tuple[str, ...]:
        """The default and the fallback model, once where they are the same."""
        return tuple(dict.fromkeys((self.default_model, self.fallback_model)))
