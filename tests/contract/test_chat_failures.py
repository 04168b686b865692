"""What a vendor's failure becomes: the other model first, a status of the document's if that fails too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.contract import events
from tests.contract.client import Client, new_id
from tests.simulator import Simulator

PROVIDERS = {
    "gpt": ("openai", "gpt-4o", "gpt-4o-mini"),
    "claude": ("anthropic", "claude-3-5-sonnet-latest", "claude-3-5-haiku-latest"),
    "gemini": ("gemini", "gemini-2.0-flash", "gemini-1.5-pro"),
}
FAULTS: dict[str, dict[str, Any]] = {
    **{f"status {status}": {"status": status} for status in (400, 401, 403, 404, 413, 422, 429, 500, 503, 529)},
    "an error after the opening": {"fault": "error", "after": 0, "text": "x"},
    "a drop after the opening": {"fault": "drop", "after": 0, "text": "x"},
    "a reset before the headers": {"fault": "reset", "after": -1, "text": "x"},
    "no text": {"text": ""},
    "a filtered reply without text": {"filtered": True, "text": ""},
    "a page of HTML": {"fault": "not_sse", "after": -1, "text": "x"},
    "no JSON": {"fault": "bad_json", "after": 0, "text": "x"},
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_it_hides_a_failure_of_the_default_model(
    client: Client, simulator: Simulator, provider: str, fault: str
) -> None:
    vendor, default, fallback = PROVIDERS[provider]
    simulator.script(vendor, default, **FAULTS[fault])
    simulator.script(vendor, fallback, chunks=["Hello ", "there"])
    stream = client.events("Hi", provider=provider)
    assert events.text_of(stream) == "Hello there"
    assert {chunk["delta"]["model"] for chunk in events.deltas(stream)} == {fallback}
    assert events.errors(stream) == []


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_it_answers_500_when_both_models_fail(client: Client, simulator: Simulator, provider: str, fault: str) -> None:
    simulator.script(PROVIDERS[provider][0], **{**FAULTS[fault], "message": "a-secret-of-the-vendor"})
    answer = client.chat("Hi", provider=provider)
    assert answer.status_code == 500
    assert list(answer.json()) == ["detail"]
    assert "failed" in answer.json()["detail"]
    assert "a-secret" not in answer.text


@pytest.mark.parametrize("provider", PROVIDERS)
def test_it_says_that_both_models_filtered(client: Client, simulator: Simulator, provider: str) -> None:
    simulator.script(PROVIDERS[provider][0], filtered=True, text="")
    answer = client.chat("Hi", provider=provider)
    assert answer.status_code == 500
    assert "filtered" in answer.json()["detail"]


def test_it_does_not_pass_on_a_vendors_429(client: Client, simulator: Simulator) -> None:
    simulator.script("openai", status=429, retry_after=7)
    answer = client.chat("Hi")
    assert answer.status_code == 500
    assert "Retry-After" not in answer.headers


@pytest.mark.parametrize("stored", [False, True])
def test_it_answers_504_when_neither_model_answers_in_time(
    impatient: Client, simulator: Simulator, stored: bool
) -> None:
    simulator.script("openai", fault="stall")
    answer = impatient.chat("Hi", conversation_id=new_id() if stored else None)
    assert answer.status_code == 504
    assert list(answer.json()) == ["detail"]


@pytest.mark.parametrize("script", [{"headers_delay": 9}, {"first_delay": 9}, {"fault": "stall", "after": -1}])
def test_it_gives_the_other_model_time_when_the_first_hangs(
    impatient: Client, simulator: Simulator, script: dict[str, Any]
) -> None:
    simulator.script("anthropic", "claude-3-5-sonnet-latest", text="late", **script)
    simulator.script("anthropic", "claude-3-5-haiku-latest", text="in time")
    stream = impatient.events("Hi", provider="claude")
    assert events.text_of(stream) == "in time"


def test_it_answers_500_when_one_hangs_and_the_other_fails(impatient: Client, simulator: Simulator) -> None:
    simulator.script("gemini", "gemini-2.0-flash", fault="stall")
    simulator.script("gemini", "gemini-1.5-pro", status=500)
    assert impatient.chat("Hi", provider="gemini").status_code == 500


def test_it_tells_in_band_of_a_silence_that_is_too_long(impatient: Client, simulator: Simulator) -> None:
    simulator.script("gemini", chunks=["some ", "text"], fault="stall", after=1)
    stream = impatient.events("Hi", provider="gemini")
    assert events.text_of(stream) == "some "
    assert len(events.errors(stream)) == 1


def test_it_cuts_no_long_reply_that_keeps_flowing(impatient: Client, simulator: Simulator) -> None:
    simulator.script("gemini", chunks=30, delay=0.1)
    stream = impatient.events("Hi", provider="gemini")
    assert len(events.text_of(stream)) == 150
    assert events.errors(stream) == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_it_shows_no_key(client_of: Callable[..., Client], simulator: Simulator, provider: str) -> None:
    client = client_of(
        OPENAI_API_KEY="sk-secret-key", ANTHROPIC_API_KEY="sk-secret-key", GEMINI_API_KEY="sk-secret-key",
        OPENAI_MODEL_DEFAULT="no-such-one", OPENAI_MODEL_FALLBACK="nor-this",
    )  # fmt: skip
    simulator.script(PROVIDERS[provider][0], status=401, message="Incorrect API key provided: sk-secret-key")
    answer = client.chat("Hi", provider=provider)
    assert answer.status_code == 500
    assert "sk-secret" not in answer.text


def test_it_answers_500_when_the_vendor_cannot_be_reached(client_of: Callable[..., Client]) -> None:
    client = client_of(OPENAI_BASE_URL="http://127.0.0.1:9/v1", OPENAI_API_KEY="sk-secret-key")
    answer = client.chat("Hi")
    assert answer.status_code == 500
    assert "failed" in answer.json()["detail"]
    assert "127.0.0.1" not in answer.text
