"""What reaches each vendor, as the vendor itself received it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.client import Client, assistant, new_id, system, user
from tests.simulator import Simulator

VENDORS = {"gpt": "openai", "claude": "anthropic", "gemini": "gemini"}
Asked = tuple[str, list[tuple[str, str]], float | None, int | None]


def asked(simulator: Simulator, provider: str) -> Asked:
    """System text, roles and texts, temperature and token limit of the last request, in one vocabulary."""
    body = simulator.last(VENDORS[provider])["body"]
    return {"gpt": _openai, "claude": _anthropic, "gemini": _gemini}[provider](body)


def _openai(body: dict[str, Any]) -> Asked:
    system_texts = [message["content"] for message in body["messages"] if message["role"] == "system"]
    spoken = [(message["role"], message["content"]) for message in body["messages"] if message["role"] != "system"]
    return "\n".join(system_texts), spoken, body.get("temperature"), body.get("max_tokens")


def _anthropic(body: dict[str, Any]) -> Asked:
    spoken = [(message["role"], _parts(message["content"])) for message in body["messages"]]
    return _parts(body.get("system", "")), spoken, body.get("temperature"), body.get("max_tokens")


def _gemini(body: dict[str, Any]) -> Asked:
    roles = {"user": "user", "model": "assistant"}
    spoken = [(roles[content["role"]], _parts(content["parts"])) for content in body["contents"]]
    settings = body["generationConfig"]
    instruction = _parts(body.get("systemInstruction", {}).get("parts", ""))
    return instruction, spoken, settings.get("temperature"), settings.get("maxOutputTokens")


def _parts(content: Any) -> str:
    return content if isinstance(content, str) else "\n\n".join(part["text"] for part in content)


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("provider", VENDORS)
def test_it_sends_the_roles(client: Client, simulator: Simulator, provider: str, stored: bool) -> None:
    fields = {"conversation_id": new_id()} if stored else {}
    client.events(user("One"), assistant("Two"), user("Three"), provider=provider, **fields)
    assert asked(simulator, provider)[1] == [("user", "One"), ("assistant", "Two"), ("user", "Three")]


@pytest.mark.parametrize("provider", VENDORS)
def test_it_sends_the_documented_temperature_and_token_limit(
    client: Client, simulator: Simulator, provider: str
) -> None:
    client.events("Hi", provider=provider)
    assert asked(simulator, provider)[2:] == (0.3, 8192)


@pytest.mark.parametrize("provider", VENDORS)
def test_it_sends_a_prompt_of_its_own(client: Client, simulator: Simulator, provider: str) -> None:
    client.events("Hi", provider=provider)
    assert asked(simulator, provider)[0].strip()


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("provider", VENDORS)
def test_it_joins_system_messages_after_its_own_prompt_in_their_order(
    client: Client, simulator: Simulator, provider: str, stored: bool
) -> None:
    fields = {"conversation_id": new_id()} if stored else {}
    client.events("Hi", provider=provider)
    own = asked(simulator, provider)[0]
    client.events(system("Be a cat."), user("Hi"), system("Purr."), provider=provider, **fields)
    joined, spoken, *_ = asked(simulator, provider)
    assert joined == f"{own}\n\nBe a cat.\n\nPurr."
    assert spoken == [("user", "Hi")]


@pytest.mark.parametrize("provider", VENDORS)
def test_it_sends_no_system_text_to_the_next_request(client: Client, simulator: Simulator, provider: str) -> None:
    client.events(system("Be a cat."), user("Hi"), provider=provider)
    client.events(user("Hi"), provider=provider)
    assert "cat" not in asked(simulator, provider)[0]


@pytest.mark.parametrize("provider", VENDORS)
def test_it_sends_every_character(client: Client, simulator: Simulator, provider: str) -> None:
    text = '\u2028 \U0001f642 \r\n\t"quoted" data: [DONE]\n\n é \x7f  '
    client.events(user(text), provider=provider)
    assert asked(simulator, provider)[1] == [("user", text)]


@pytest.mark.parametrize("provider", VENDORS)
def test_it_sends_the_models_of_the_environment(configured: Client, simulator: Simulator, provider: str) -> None:
    simulator.script(VENDORS[provider], status=500)
    configured.chat("Hi", provider=provider)
    models = [chat["model"] for chat in simulator.chats(VENDORS[provider])]
    assert models == MODELS[provider]


@pytest.mark.parametrize("provider", VENDORS)
def test_it_sends_the_settings_of_the_environment(configured: Client, simulator: Simulator, provider: str) -> None:
    configured.chat("Hi", provider=provider)
    prompt, _, temperature, limit = asked(simulator, provider)
    assert (prompt, temperature, limit) == (f"I am {provider}.", 0.7, 99)


MODELS = {
    "gpt": ["gpt-4.1", "gpt-4o"],
    "claude": ["claude-3-opus-latest", "claude-3-5-sonnet-latest"],
    "gemini": ["gemini-2.5-pro", "gemini-2.5-flash"],
}
PREFIXES = {"gpt": "OPENAI", "claude": "ANTHROPIC", "gemini": "GEMINI"}


@pytest.fixture
def configured(client_of: Callable[..., Client]) -> Client:
    variables = {"ALLOWED_HOSTS": "127.0.0.1"}
    for provider, prefix in PREFIXES.items():
        variables |= {
            f"{prefix}_MODEL_DEFAULT": MODELS[provider][0],
            f"{prefix}_MODEL_FALLBACK": MODELS[provider][1],
            f"{prefix}_TEMPERATURE": "0.7",
            f"{prefix}_MAX_TOKENS": "99",
            f"{provider.upper()}_SYSTEM_PROMPT": f"I am {provider}.",
        }
    return client_of(**variables)


def test_it_sends_anthropic_the_version_that_takes_a_temperature(client: Client, simulator: Simulator) -> None:
    client.events("Hi", provider="claude")
    assert simulator.last("anthropic")["headers"]["anthropic-version"] == "2023-06-01"


@pytest.mark.parametrize("provider", VENDORS)
def test_it_asks_for_a_stream(client: Client, simulator: Simulator, provider: str) -> None:
    client.events("Hi", provider=provider)
    request = simulator.last(VENDORS[provider])
    assert request["body"].get("stream") is True or ":streamGenerateContent" in request["path"]


@pytest.mark.parametrize("provider", VENDORS)
def test_it_asks_each_model_once_only(client: Client, simulator: Simulator, provider: str) -> None:
    simulator.script(VENDORS[provider], status=429, retry_after=1)
    client.chat("Hi", provider=provider)
    assert len({chat["model"] for chat in simulator.chats()}) == len(simulator.chats()) == 2


@pytest.mark.parametrize("provider", VENDORS)
def test_it_starts_with_a_users_message_at_vendors_that_demand_it(
    client: Client, simulator: Simulator, provider: str
) -> None:
    client.events(assistant("Welcome!"), user("Hi"), provider=provider)
    spoken = asked(simulator, provider)[1]
    assert spoken[-1] == ("user", "Hi")
    assert ("assistant", "Welcome!") in spoken
