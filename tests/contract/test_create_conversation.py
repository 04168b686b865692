"""`POST /chat/conversations`."""

from __future__ import annotations

import re

import pytest

from tests.contract.client import Client


def test_it_answers_with_an_id_and_nothing_else(mounted: Client) -> None:
    answer = mounted.post("/chat/conversations")
    assert answer.status_code == 200
    assert list(answer.json()) == ["conversation_id"]
    assert re.fullmatch(r"session-\d{38,}", answer.json()["conversation_id"])


def test_it_takes_a_json_content_type_with_no_body(mounted: Client) -> None:
    assert mounted.raw("/chat/conversations", b"").status_code == 200


def test_it_takes_a_body_with_anything_in_it(client: Client) -> None:
    assert client.post("/chat/conversations", {"title": "Mine", "messages": 7}).status_code == 200


@pytest.mark.parametrize("body", [b"{", b"[]", b"7", b'"x"', b"\xff"])
def test_it_refuses_a_body_that_is_no_object(client: Client, body: bytes) -> None:
    answer = client.raw("/chat/conversations", body)
    assert (answer.status_code, set(answer.json())) == (400, {"error", "details"})


def test_it_begins_with_an_empty_history(client: Client) -> None:
    assert client.history(client.post("/chat/conversations").json()["conversation_id"]) == []


def test_it_makes_a_conversation_that_can_be_used(client: Client) -> None:
    conversation = client.post("/chat/conversations").json()["conversation_id"]
    client.complete("Hello", conversation_id=conversation)
    assert client.texts(conversation)[0] == "Hello"
