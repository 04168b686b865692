"""The three providers through their SDKs, with the simulator as their vendors."""

from __future__ import annotations

import socket
from dataclasses import replace

from providers import registry
from providers.conf import VENDORS, ProviderConfig
from providers.events import Attempted, Delta, Event, Serving
from tests.providers.fakes import read_into
from tests.simulator import Simulator

VARIABLES = {"gpt": "OPENAI_API_KEY", "claude": "ANTHROPIC_API_KEY", "gemini": "GEMINI_API_KEY"}
NAMES = tuple(VENDORS)


def one(name: str, **fields: object) -> ProviderConfig:
    """A provider with the models `<name>-big` and `<name>-small`, not configured unless `fields` do."""
    models = f"{name}-big", f"{name}-small"
    config = ProviderConfig(name, VENDORS[name], VARIABLES[name], None, None, *models, 0.3, 8192, "Be kind.")
    return replace(config, **fields)  # type: ignore[arg-type]


def all_at(simulator: Simulator) -> dict[str, ProviderConfig]:
    return {name: one(name, base_url=simulator.base_url(VENDORS[name]), api_key="a key") for name in NAMES}


def nobody() -> str:
    """A URL on this machine at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


async def collect(name: str | None) -> list[Event]:
    """All events of a reply. The connections end with the event loop of the test."""
    events: list[Event] = []
    try:
        await read_into(events, registry.answering(name))
    finally:
        await registry.aclose()
    return events


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta))


def outcomes(events: list[Event] | tuple[Attempted, ...]) -> list[tuple[str, str]]:
    return [(event.model, event.outcome) for event in events if isinstance(event, Attempted)]


def serving(events: list[Event]) -> str:
    return next(event.model for event in events if isinstance(event, Serving))
