from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from conversations.api import tokens
from tests.conversations.api.people import Person, someone


@pytest.fixture(autouse=True)
def required(settings: Settings, transactional_db: None) -> Iterator[None]:
    settings.AUTH_MODE = "required"
    tokens.forget()
    yield
    tokens.forget()


@pytest.fixture
def open_mode(required: None, settings: Settings) -> None:
    settings.AUTH_MODE = "open"


@pytest.fixture
def owner() -> Person:
    return someone("owner")


@pytest.fixture
def teammate() -> Person:
    return someone("teammate")


@pytest.fixture
def stranger() -> Person:
    return Person()
