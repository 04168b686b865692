"""The examples of the description, each beside the schema it stands for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from conversations.api.schema.views import document

Json = dict[str, Any]


@dataclass(frozen=True)
class Example:
    """place: where it stands; schema: a JSON Schema whose references the description resolves"""

    place: str
    schema: Json
    value: Any


def examples() -> list[Example]:
    return list(_within(document(), "#"))


def _within(part: Any, place: str) -> Iterator[Example]:
    if isinstance(part, list):
        for number, each in enumerate(part):
            yield from _within(each, f"{place}/{number}")
    elif isinstance(part, dict):
        yield from _of(part, place)
        for name, each in part.items():
            if name not in ("example", "examples"):
                yield from _within(each, f"{place}/{name}")


def _of(part: Json, place: str) -> Iterator[Example]:
    """Of a media type, a parameter or a header (`example`, `examples` by name), or of a schema (a list)."""
    if isinstance(part.get("schema"), dict):
        named = {name: each["value"] for name, each in part.get("examples", {}).items()}
        named |= {"example": part["example"]} if "example" in part else {}
        yield from (Example(f"{place}/{name}", part["schema"], value) for name, value in named.items())
    elif isinstance(part.get("examples"), list):
        yield from (Example(place, part, value) for value in part["examples"])
