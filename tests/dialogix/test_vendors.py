from __future__ import annotations

from dataclasses import replace

import pytest

from dialogix import vendors
from providers.conf import ProviderConfig

KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY")


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in (*KEYS, "OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "GOOGLE_GEMINI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def models(config: ProviderConfig) -> tuple[str, str, float | None, int | None]:
    return config.default_model, config.fallback_model, config.temperature, config.max_tokens


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gpt", ("gpt-4o", "gpt-4o-mini", 0.3, 8192)),
        ("claude", ("claude-3-5-sonnet-latest", "claude-3-5-haiku-latest", 0.3, 8192)),
        ("gemini", ("gemini-2.0-flash", "gemini-1.5-pro", 0.3, 8192)),
    ],
)
def test_it_has_the_documented_defaults(name: str, expected: tuple[object, ...], bare: pytest.MonkeyPatch) -> None:
    assert models(vendors.providers("auto", 2000)[name]) == expected


def test_it_simulates_all_where_none_is_configured(bare: pytest.MonkeyPatch) -> None:
    assert all(each.simulated for each in vendors.providers("auto", 2000).values())


@pytest.mark.parametrize("variable", [*KEYS, "OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "GOOGLE_GEMINI_BASE_URL"])
def test_it_simulates_none_as_soon_as_one_is_configured(variable: str, bare: pytest.MonkeyPatch) -> None:
    bare.setenv(variable, "http://localhost:1")
    assert not any(each.simulated for each in vendors.providers("auto", 2000).values())


def test_it_never_simulates_when_off(bare: pytest.MonkeyPatch) -> None:
    assert not any(each.simulated for each in vendors.providers("off", 2000).values())


def test_it_reads_every_value(bare: pytest.MonkeyPatch) -> None:
    changed = {
        "OPENAI_API_KEY": "key",
        "OPENAI_BASE_URL": "http://localhost:11434/v1",
        "OPENAI_MODEL_DEFAULT": "big",
        "OPENAI_MODEL_FALLBACK": "small",
        "OPENAI_TEMPERATURE": "none",
        "OPENAI_MAX_TOKENS": "100",
        "GPT_SYSTEM_PROMPT": "Be kind.",
        "OPENAI_NO_TEMPERATURE_MODELS": "x*",
        "OPENAI_COMPLETION_TOKENS_MODELS": "y*, z",
    }
    for name, value in changed.items():
        bare.setenv(name, value)
    config = vendors.providers("auto", 2000)["gpt"]
    assert config == replace(
        config,
        api_key="key",
        base_url="http://localhost:11434/v1",
        default_model="big",
        fallback_model="small",
        temperature=None,
        max_tokens=100,
        system_prompt="Be kind.",
        no_temperature=("x*",),
        completion_tokens=("y*", "z"),
        simulated=False,
    )


def test_it_has_connections_for_as_many_replies_as_may_be_under_way(bare: pytest.MonkeyPatch) -> None:
    pools = [each.pool_size for each in vendors.providers("auto", 3000).values()]
    assert all(3000 < size < 3100 for size in pools)


@pytest.mark.parametrize("key", ["…", "two words", "line\nbreak"])
@pytest.mark.parametrize("variable", KEYS)
def test_it_refuses_what_cannot_be_a_key(
    variable: str, key: str, bare: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bare.setenv(variable, key)
    with pytest.raises(SystemExit):
        vendors.providers("auto", 2000)
    said = capsys.readouterr().err
    assert said.startswith(variable)
    assert key not in said
