"""A provider's own defaults, filled into a request that leaves them open."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace

from providers.base import Provider, Push, keep
from providers.conf import ProviderConfig
from providers.events import Event
from providers.messages import CompletionRequest


class Configured:
    """Asks `source` with the system prompt, temperature and token limit of `config` where the request has none.

    The system prompt does not give way to the request's instructions but goes before them, with a blank line between.
    """

    def __init__(self, source: Provider, config: ProviderConfig) -> None:
        self._source = source
        self._config = config

    def stream(self, request: CompletionRequest, push: Push = keep) -> AsyncGenerator[Event, None]:
        # No generator of its own: what the source yields reaches the reader without a step in between.
        return self._source.stream(filled_in(request, self._config), push)


def filled_in(request: CompletionRequest, config: ProviderConfig) -> CompletionRequest:
    """The request as the provider is asked."""
    return replace(
        request,
        instructions="\n\n".join(text for text in (config.system_prompt, request.instructions) if text),
        temperature=config.temperature if request.temperature is None else request.temperature,
        max_tokens=config.max_tokens if request.max_tokens is None else request.max_tokens,
    )


def unopinionated(config: ProviderConfig) -> ProviderConfig:
    """The config for clients that say themselves what they want: only Anthropic's API demands a token limit."""
    limit = config.max_tokens if config.vendor == "anthropic" else None
    return replace(config, system_prompt="", temperature=None, max_tokens=limit)
