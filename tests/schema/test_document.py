"""The description is OpenAPI 3.1, and its examples are what it describes."""

from __future__ import annotations

from typing import Any

import jsonschema
import openapi_spec_validator
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from conversations.api.schema.views import document
from tests.contract import events
from tests.schema.examples import Example, examples

ROOT = "urn:description"
INDENT = "    "  # of code in Markdown


def test_it_is_valid_openapi() -> None:
    openapi_spec_validator.validate(document(), cls=openapi_spec_validator.OpenAPIV31SpecValidator)


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.place)
def test_it_shows_examples_that_fit(example: Example) -> None:
    check(example)


def test_it_notices_an_example_that_does_not_fit() -> None:
    fitting = next(each for each in examples() if each.place.endswith("Completion/content/application/json/example"))
    with pytest.raises(jsonschema.ValidationError):
        check(Example(fitting.place, fitting.schema, {**fitting.value, "messageId": 7}))


def test_it_shows_a_stream_as_a_client_reads_it() -> None:
    description = document()["components"]["responses"]["Stream"]["description"]
    lines = [line.removeprefix(INDENT) for line in description.splitlines() if line.startswith(INDENT) or not line]
    stream = "\n".join(lines).strip("\n") + "\n\n"
    assert events.text_of(events.read(stream)) == "Hello"


def check(example: Example) -> None:
    """Raises `ValidationError`."""
    root = Resource.from_contents({"$id": ROOT, **document()}, default_specification=DRAFT202012)
    registry: Registry[object] = Registry().with_resource(ROOT, root)
    schema = {"$id": "urn:example"} | _absolute(example.schema)
    Draft202012Validator(schema, registry=registry, format_checker=jsonschema.FormatChecker()).validate(example.value)


def _absolute(part: Any) -> Any:
    """References into the description, from outside of it."""
    if isinstance(part, list):
        return [_absolute(each) for each in part]
    if isinstance(part, dict):
        return {name: ROOT + value if name == "$ref" else _absolute(value) for name, value in part.items()}
    return part
