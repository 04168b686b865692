"""The description has every route, and none that is not there."""

from __future__ import annotations

import pytest

from conversations.api.schema.views import document
from tests.schema import routes


def test_it_describes_every_route_and_method() -> None:
    assert routes.routed() - routes.described() == set()


def test_it_describes_nothing_else() -> None:
    assert routes.described() - routes.routed() == set()


@pytest.mark.parametrize(
    "route", [("GET", "/ws/conversations/{conversation_id}"), ("GET", "/metrics"), ("GET", "/health")]
)
def test_it_finds_the_routes_beside_the_views(route: routes.Operation) -> None:
    assert route in routes.routed()


def test_it_names_every_operation_once() -> None:
    operations = [
        item[method]["operationId"]
        for item in document()["paths"].values()
        for method in routes.METHODS
        if method in item
    ]
    assert len(operations) == len(set(operations))
