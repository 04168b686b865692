from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from pytest_django import Settings

from tests.conversations.commands.running import run
from tests.simulator import Simulator

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def configured(settings: Settings, simulator: Simulator) -> None:
    """A provider with a key, whose vendor is the simulator."""
    gpt = settings.PROVIDERS["gpt"]
    base_url = simulator.base_url("openai")
    live = replace(gpt, api_key="a key", base_url=base_url, simulated=False)
    settings.PROVIDERS = {name: replace(each, simulated=False) for name, each in settings.PROVIDERS.items()} | {
        "gpt": live
    }


def about(subject: str) -> list[tuple[str, str]]:
    found: list[dict[str, Any]] = json.loads(run("doctor", "--json").out)["findings"]
    return [(each["level"], each["text"].partition(" (")[0]) for each in found if each["subject"] == subject]


def test_it_finds_everything_well() -> None:
    ran = run("doctor")
    assert (ran.code, "problem" in ran.out, ran.err) == (0, False, "")


def test_it_asks_the_vendor_for_each_model() -> None:
    assert about("provider gpt") == [("ok", "gpt-4o may be used"), ("ok", "gpt-4o-mini may be used")]


def test_it_pays_for_no_completion(simulator: Simulator) -> None:
    run("doctor")
    assert simulator.chats() == []


def test_it_names_what_would_configure_a_provider() -> None:
    assert "Set ANTHROPIC_API_KEY or ANTHROPIC_BASE_URL to use it." in run("doctor").out


def test_it_finds_one_model_that_may_not_be_used(settings: Settings) -> None:
    settings.PROVIDERS = {"gpt": replace(settings.PROVIDERS["gpt"], default_model="nothing")}
    assert [level for level, _ in about("provider gpt")] == ["warning", "ok"]


def test_it_fails_where_no_model_may_be_used(settings: Settings) -> None:
    away = replace(settings.PROVIDERS["gpt"], base_url="http://127.0.0.1:1/v1")
    settings.PROVIDERS = {**settings.PROVIDERS, "gpt": away}
    ran = run("doctor")
    assert (ran.code, ran.out.count("problem  provider gpt:")) == (1, 2)


def test_it_says_that_the_simulator_answers(settings: Settings) -> None:
    settings.PROVIDERS = {name: replace(each, simulated=True) for name, each in settings.PROVIDERS.items()}
    assert about("provider gpt") == [("note", "The simulator answers in its stead.")]


def test_it_finds_that_redis_is_away(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1"
    assert [level for level, _ in about("cache")] == ["problem"]


def test_it_tells_a_program_whether_all_is_well() -> None:
    assert json.loads(run("doctor", "--json").out)["healthy"] is True
