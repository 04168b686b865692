"""Nothing is described by its name alone: every body has an example, every field and header says what it means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from conversations.api.schema.views import document
from tests.schema.test_answers import NO_HTTP, OPERATIONS

Json = dict[str, Any]
Named = tuple[str, Json]

WITHOUT_A_SHAPE = {"text/html", "text/plain", "application/openmetrics-text", "application/vnd.oai.openapi+json"}
"""Of these nobody needs an example."""

ON_ALL = {"X-Request-ID"}


def resolved(part: Json) -> Json:
    while "$ref" in part:
        found: Any = document()
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = {**found, **{name: value for name, value in part.items() if name != "$ref"}}
    return part


def bodies() -> Iterator[Named]:
    """Every media type of every request and answer, by where it is."""
    for name, operation in OPERATIONS.items():
        raw = operation.definition.raw
        parts = {"request": raw.get("requestBody", {}), **raw["responses"]}
        for part, described in parts.items():
            for media_type, content in resolved(described).get("content", {}).items():
                if media_type not in WITHOUT_A_SHAPE:
                    yield f"{name} {part} {media_type}", content


def fields() -> Iterator[Named]:
    """Every property of everything that is described, by where it is."""
    yield from _fields(document(), "#")


def _fields(part: Any, place: str) -> Iterator[Named]:
    if isinstance(part, list):
        for number, each in enumerate(part):
            yield from _fields(each, f"{place}/{number}")
    elif isinstance(part, dict):
        for name, each in part.items():
            if name in ("example", "examples"):
                continue
            if name == "properties":
                yield from ((f"{place}/{field}", described) for field, described in each.items())
            yield from _fields(each, f"{place}/{name}")


def is_described(field: Json) -> bool:
    whole = resolved(field)
    alternatives = [resolved(each) for each in whole.get("oneOf", ())]
    return bool({"description", "const"} & whole.keys()) or any("description" in each for each in alternatives)


@pytest.mark.parametrize("body", list(bodies()), ids=lambda body: body[0])
def test_it_shows_an_example_of_every_body(body: Named) -> None:
    assert {"example", "examples"} & body[1].keys()


def test_it_describes_every_field() -> None:
    assert [place for place, field in fields() if not is_described(field)] == []


def test_it_describes_every_parameter() -> None:
    asked = [
        (name, resolved(parameter))
        for name, operation in OPERATIONS.items()
        for parameter in operation.definition.raw.get("parameters", ())
    ]
    assert len(asked) > 30
    assert [f"{name} {each['name']}" for name, each in asked if "description" not in each] == []


def test_it_describes_every_header() -> None:
    headers = document()["components"]["headers"]
    assert [name for name, each in headers.items() if "description" not in each] == []


@pytest.mark.parametrize("name", sorted(OPERATIONS.keys() - NO_HTTP))
def test_it_names_the_request_on_every_answer(name: str) -> None:
    answers = OPERATIONS[name].definition.raw["responses"]
    assert [status for status, each in answers.items() if not resolved(each).get("headers", {}).keys() >= ON_ALL] == []
