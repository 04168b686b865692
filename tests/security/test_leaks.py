"""Keys, tokens, what was said and what vendors said: searched for in all that a server lets out, also when it fails."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from providers.simulator import server as simulator_server
from tests.security import canaries
from tests.security.canaries import Evidence, gather
from tests.simulator import Simulator

SOME = ("answers 400", "sends no JSON after text", "answers")


@pytest.fixture(scope="module", params=[("debug", canaries.SCRIPTS), ("info", SOME)], ids=["debug", "info"])
def evidence(request: pytest.FixtureRequest) -> Iterator[Evidence]:
    """Everything at the level that says most, and some of it at the level that servers run at."""
    level, scripts = request.param
    yield from gather(Simulator(simulator_server.ensure_running()), level, scripts)


def test_the_server_met_all_of_it(evidence: Evidence) -> None:
    """What was never there could not have been let out."""
    asked = json.dumps(evidence.asked)
    assert [word for word in (canaries.SYSTEM_PROMPT, canaries.PROMPT, '"***"') if word not in asked] == []
    assert {each["vendor"] for each in evidence.asked} == set(canaries.PROVIDERS.values())
    assert canaries.REPLY.encode() in evidence.stored


def test_it_said_what_went_wrong(evidence: Evidence) -> None:
    lines = [json.loads(line) for line in evidence.output.splitlines() if line.startswith("{")]
    assert {"error", "warning", "info"} <= {line["level"] for line in lines}
    assert any("exception" in line for line in lines)
    assert len(evidence.failures) > 50


@pytest.mark.parametrize("name", canaries.KEYS)
def test_no_key_is_in_the_output(name: str, evidence: Evidence) -> None:
    assert canaries.KEYS[name] not in evidence.output


def test_no_token_or_session_is_in_the_output(evidence: Evidence) -> None:
    assert [token for token in evidence.tokens if token in evidence.output] == []


CONTENTS = {
    "what was asked": canaries.PROMPT,
    "what was answered": canaries.REPLY,
    "what a vendor said of an error": canaries.VENDOR,
    "the house's own instructions": canaries.SYSTEM_PROMPT,
    "a title": canaries.TITLE,
    "a password": canaries.PASSWORD,
    "a token that is none": canaries.INVENTED,
}


@pytest.mark.parametrize("name", CONTENTS)
def test_it_is_not_in_the_output(name: str, evidence: Evidence) -> None:
    assert [line for line in evidence.output.splitlines() if CONTENTS[name] in line] == []


@pytest.mark.parametrize("word", ["canary", "4711"])
def test_nothing_of_it_is_in_an_error(word: str, evidence: Evidence) -> None:
    assert [each for each in evidence.failures if word in each] == []


def test_nothing_of_it_is_in_the_metrics(evidence: Evidence) -> None:
    assert "canary" not in evidence.metrics


def test_no_token_or_session_is_in_an_error_or_the_metrics(evidence: Evidence) -> None:
    shown = "".join(evidence.failures) + evidence.metrics
    assert [token for token in evidence.tokens if token in shown] == []


@pytest.mark.parametrize("name", canaries.KEYS)
def test_no_key_is_in_the_database(name: str, evidence: Evidence) -> None:
    assert canaries.KEYS[name].encode() not in evidence.stored


def test_tokens_are_in_the_database_as_hashes_only(evidence: Evidence) -> None:
    assert [token for token in evidence.people.tokens.values() if token.encode() in evidence.stored] == []


@pytest.mark.parametrize("word", [canaries.VENDOR, canaries.PASSWORD, canaries.INVENTED])
def test_it_is_not_kept(word: str, evidence: Evidence) -> None:
    assert word.encode() not in evidence.stored


def test_no_answer_and_no_line_shows_code(evidence: Evidence) -> None:
    shown = evidence.output + "".join(evidence.failures)
    assert [word for word in ("Traceback (most recent", 'File "') if word in shown] == []
