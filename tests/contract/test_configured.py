"""Which vendor answers: the one that the environment configures, the simulator where there is none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from providers.simulator import server as simulator_server
from tests.contract import events
from tests.contract.client import Client
from tests.services.server import LiveServer
from tests.simulator import Simulator

PROVIDERS = ("gpt", "claude", "gemini")


@pytest.fixture(scope="module")
def simulated() -> Iterator[LiveServer]:
    """With no environment at all."""
    server = LiveServer()
    yield server
    server.close()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_simulator_answers_and_says_so(simulated: LiveServer, provider: str) -> None:
    answer = Client(simulated.url).chat("Hello", provider=provider)
    assert answer.status_code == 200
    assert "simulator" in events.text_of(events.read(answer.text))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_it_says_so_in_its_health(simulated: LiveServer, provider: str) -> None:
    report = Client(simulated.url).get(f"/health/{provider}").json()
    assert report["status"] == "OK"
    assert "simulator" in report["message"]


def test_it_says_so_at_its_start(simulated: LiveServer) -> None:
    assert "simulat" in simulated.stdout.read_text()
    assert any("simulator" in line["message"] for line in simulated.logs())


def test_completions_are_simulated_too(simulated: LiveServer) -> None:
    assert "simulator" in Client(simulated.url).complete("Hello").json()["message"]


def test_the_simulator_cannot_be_reached_through_our_port(simulated: LiveServer) -> None:
    client = Client(simulated.url)
    assert client.get("/_simulator/requests").status_code == 404
    assert client.post("/openai/v1/chat/completions", {}).status_code == 404


@pytest.fixture(scope="module")
def one() -> Iterator[LiveServer]:
    """Only OpenAI is configured, by its key and its base URL."""
    vendors = Simulator(simulator_server.ensure_running()).env()
    server = LiveServer(OPENAI_API_KEY="sk-mine", OPENAI_BASE_URL=vendors["OPENAI_BASE_URL"])
    yield server
    server.close()


def test_a_configured_provider_streams_from_its_vendor(one: LiveServer, simulator: Simulator) -> None:
    simulator.script("openai", chunks=["from ", "the vendor"])
    assert events.text_of(Client(one.url).events("Hello")) == "from the vendor"
    assert simulator.last("openai")["headers"]["authorization"] == "***"


VARIABLES = {"claude": "ANTHROPIC_API_KEY", "gemini": "GEMINI_API_KEY"}


@pytest.mark.parametrize("provider", VARIABLES)
def test_another_one_is_an_error_that_names_its_variable(one: LiveServer, provider: str) -> None:
    answer = Client(one.url).chat("Hello", provider=provider)
    assert (answer.status_code, list(answer.json())) == (500, ["detail"])
    assert VARIABLES[provider] in answer.json()["detail"]


@pytest.mark.parametrize("provider", VARIABLES)
def test_its_health_is_an_error_that_names_its_variable(one: LiveServer, provider: str) -> None:
    answer = Client(one.url).get(f"/health/{provider}")
    assert (answer.status_code, answer.json()["status"]) == (200, "ERROR")
    assert VARIABLES[provider] in answer.json()["error"]["message"]


def test_completions_try_only_what_is_configured(one: LiveServer, simulator: Simulator) -> None:
    simulator.script("openai", status=500)
    assert Client(one.url).complete("Hello").status_code == 500
    assert {chat["vendor"] for chat in simulator.chats()} == {"openai"}


@pytest.fixture(scope="module")
def off() -> Iterator[LiveServer]:
    """Nothing is configured, and nothing is to be simulated; the default is one that is not there."""
    server = LiveServer(SIMULATOR="off", DEFAULT_PROVIDER="gemini")
    yield server
    server.close()


def test_without_any_it_starts_and_says_what_is_missing(off: LiveServer) -> None:
    client = Client(off.url)
    answer = client.chat("Hello")
    assert answer.status_code == 500
    assert "OPENAI_API_KEY" in answer.json()["detail"]
    completion = client.complete("Hello")
    assert completion.status_code == 500
    assert "GEMINI_API_KEY" in completion.json()["details"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_without_any_every_health_is_an_error(off: LiveServer, provider: str) -> None:
    assert Client(off.url).get(f"/health/{provider}").json()["status"] == "ERROR"


def test_without_any_the_system_is_well(off: LiveServer) -> None:
    assert Client(off.url).get("/health").json()["status"] == "OK"


@pytest.fixture(scope="module")
def keyless() -> Iterator[LiveServer]:
    """A base URL without a key, as local servers like it; and a default that is not configured."""
    vendors = Simulator(simulator_server.ensure_running()).env()
    server = LiveServer(
        ANTHROPIC_BASE_URL=vendors["ANTHROPIC_BASE_URL"], GOOGLE_GEMINI_BASE_URL=vendors["GOOGLE_GEMINI_BASE_URL"]
    )
    yield server
    server.close()


@pytest.mark.parametrize("provider", ["claude", "gemini"])
def test_a_base_url_alone_configures_a_provider(keyless: LiveServer, simulator: Simulator, provider: str) -> None:
    assert Client(keyless.url).chat("Hello", provider=provider).status_code == 200


def test_the_next_configured_one_answers_for_a_default_that_is_not(keyless: LiveServer, simulator: Simulator) -> None:
    assert Client(keyless.url).complete("Hello").status_code == 200
    assert [chat["vendor"] for chat in simulator.chats()] == ["anthropic"]
