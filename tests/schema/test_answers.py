"""No answer is outside the description, whatever is asked: schemathesis makes the requests, fitting and not."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks

from conversations.api.schema.views import document
from tests.schema.conftest import Place

Operation = APIOperation[Any, Any, Any, Any]

BOUNDED = settings(
    max_examples=8,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
NO_HTTP = {"mirror"}
"""The WebSocket."""


def operations(description: dict[str, Any]) -> dict[str, Operation]:
    """By their `operationId`."""
    found = schemathesis.openapi.from_dict(description).get_all_operations()
    each = [operation.ok() for operation in found if isinstance(operation, Ok)]
    return {operation.definition.raw["operationId"]: operation for operation in each}


OPERATIONS = operations(document())


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("name", sorted(OPERATIONS.keys() - NO_HTTP))
def test_it_answers_as_described(place: Place, name: str, mode: GenerationMode) -> None:
    operation = OPERATIONS[name]
    known = place.path_parameters(operation.path, name)
    if known and (mode is GenerationMode.POSITIVE or operation.body or operation.query):
        asked(place, name, mode, known)
    asked(place, name, mode, None)


def test_it_asks_for_things_that_are_there(place: Place) -> None:
    known = place.path_parameters(OPERATIONS["edit"].path, "edit")
    assert 200 in asked(place, "edit", GenerationMode.POSITIVE, known)


@pytest.mark.parametrize(
    ("name", "described"), [("chat", "Delta"), ("readMessage", "Message"), ("history", "HistoryEntry")]
)
def test_it_notices_an_answer_outside_the_description(place: Place, name: str, described: str) -> None:
    other = copy.deepcopy(document())
    other["components"]["schemas"][described]["required"] = ["what_no_answer_has"]
    wrong = operations(other)[name]
    with pytest.raises(FailureGroup):
        asked(place, name, GenerationMode.POSITIVE, place.path_parameters(wrong.path, name), wrong)


def asked(
    place: Place,
    name: str,
    mode: GenerationMode,
    path_parameters: dict[str, str] | None,
    operation: Operation | None = None,
) -> set[int]:
    """Which statuses were answered. Raises where an answer is not as described."""
    operation = operation or OPERATIONS[name]
    statuses: set[int] = set()

    @BOUNDED
    @given(case=operation.as_strategy(mode, path_parameters=path_parameters))
    def ask(case: schemathesis.Case[Any]) -> None:
        with requests.Session() as session:
            session.trust_env = False  # no proxy between us
            answer = case.call(base_url=place.url, headers=place.authorization, session=session, timeout=20)
        statuses.add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    try:
        ask()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE  # every request that can be made fits
    return statuses
