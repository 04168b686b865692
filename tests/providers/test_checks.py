from __future__ import annotations

from dataclasses import replace

import pytest
from django.core.checks import run_checks
from pytest_django.fixtures import Settings

from providers.conf import VENDORS, ProviderConfig


def one(name: str, **fields: object) -> ProviderConfig:
    vendor = VENDORS[name]
    variable = f"{vendor.upper()}_API_KEY"
    config = ProviderConfig(name, vendor, variable, None, None, f"{name}-big", f"{name}-small", 0.3, 8192, "")
    return replace(config, **fields)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def deployment(settings: Settings) -> None:
    """A deployment in order: one provider, no simulator, one worker."""
    settings.PROVIDERS = {"gpt": one("gpt", api_key="a key"), "claude": one("claude")}
    settings.DEFAULT_PROVIDER = "gpt"
    settings.SIMULATOR = "off"
    settings.WEB_WORKERS = 1
    settings.REDIS_URL = None


def ids(*, deploy: bool = False) -> list[str]:
    messages = run_checks(include_deployment_checks=deploy)
    return [message.id for message in messages if message.id and message.id.startswith("providers.")]


def test_it_has_nothing_to_say_of_a_deployment_in_order() -> None:
    assert ids(deploy=True) == []


def test_it_refuses_a_default_provider_that_is_none(settings: Settings) -> None:
    settings.DEFAULT_PROVIDER = "llama"
    assert ids() == ["providers.E001"]


def test_it_warns_of_a_default_provider_that_is_not_configured(settings: Settings) -> None:
    settings.DEFAULT_PROVIDER = "claude"
    assert ids() == ["providers.W001"]


def test_it_tells_that_no_provider_is_configured(settings: Settings) -> None:
    settings.PROVIDERS = {"gpt": one("gpt")}
    assert ids() == ["providers.I001"]


def test_it_accepts_providers_that_the_simulator_answers_for(settings: Settings) -> None:
    settings.PROVIDERS = {"gpt": one("gpt", simulated=True)}
    assert ids() == []


@pytest.mark.parametrize("url", ["localhost:11434", "ftp://localhost", "http://", "http://[::1", "http://a:b"])
def test_it_refuses_a_base_url_that_is_none(settings: Settings, url: str) -> None:
    settings.PROVIDERS = {"gpt": one("gpt", base_url=url)}
    assert ids() == ["providers.E002"]


@pytest.mark.parametrize("url", ["http://localhost:11434/v1", "https://[::1]/", "https://gateway.example/openai"])
def test_it_accepts_a_base_url(settings: Settings, url: str) -> None:
    settings.PROVIDERS = {"gpt": one("gpt", base_url=url)}
    assert ids() == []


def test_it_refuses_to_deploy_with_a_simulator(settings: Settings) -> None:
    settings.SIMULATOR = "auto"
    assert ids(deploy=True) == ["providers.E003"]


def test_it_accepts_a_simulator_where_nothing_is_deployed(settings: Settings) -> None:
    settings.SIMULATOR = "auto"
    assert ids() == []


def test_it_tells_that_several_workers_count_apart(settings: Settings) -> None:
    settings.WEB_WORKERS = 4
    assert ids() == ["providers.I002"]


def test_it_accepts_several_workers_with_redis(settings: Settings) -> None:
    settings.WEB_WORKERS = 4
    settings.REDIS_URL = "redis://localhost"
    assert ids() == []
