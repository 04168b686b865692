"""What is another's, asked for at every address: as if it did not exist, and nothing of it is changed."""

from __future__ import annotations

import httpx
import pytest
from django.urls import resolve

from tests.contract.client import Client
from tests.contract.people import People
from tests.schema.routes import Operation
from tests.security import routes
from tests.security.asking import SECRET, ask, things_of
from tests.security.routes import NOWHERE, Things
from tests.simulator import Simulator

VARYING = {"date", "x-request-id", "x-ratelimit-reset"}
"""Headers that differ from one request to the next: when it was, which it is, how many seconds are left."""


def told(answer: httpx.Response, things: Things) -> tuple[int, str, dict[str, str]]:
    headers = {name: value for name, value in answer.headers.items() if name not in VARYING}
    return answer.status_code, things.hidden_in(answer.text), headers


def test_every_address_is_of_a_known_kind() -> None:
    for _, path in routes.ALL:
        assert Things("a", "b", "c").path(path)


@pytest.mark.parametrize("operation", [each for each in routes.ALL if each not in routes.ROOT], ids=" ".join)
def test_the_other_mount_has_the_same_views(operation: Operation) -> None:
    method, path = operation
    below = path.removeprefix(routes.MOUNT)
    assert (method, below) in routes.ROOT
    assert resolve(NOWHERE.path(path)).func is resolve(NOWHERE.path(below)).func


def test_there_is_one_socket() -> None:
    """Whom it lets in is tested where it lives."""
    assert [path for _, path in routes.ALL if path.startswith(routes.SOCKETS)] == [
        "/ws/conversations/{conversation_id}"
    ]


@pytest.mark.parametrize("operation", routes.NAMED, ids=" ".join)
def test_it_does_not_exist_for_anybody_else(operation: Operation, stranger: Client, theirs: Things) -> None:
    found = told(ask(stranger, operation, theirs), theirs)
    assert found[0] == 404
    assert found == told(ask(stranger, operation, NOWHERE), NOWHERE)


@pytest.mark.parametrize("operation", [each for each in routes.NAMED if each[0] == "GET"], ids=" ".join)
@pytest.mark.parametrize("header", ["Last-Event-ID", "If-None-Match"])
def test_no_header_makes_it_exist(operation: Operation, header: str, stranger: Client, theirs: Things) -> None:
    """Neither a position in a stream, nor the right to be told that nothing changed."""
    value = {"Last-Event-ID": "1", "If-None-Match": "*"}[header]
    assert ask(stranger, operation, theirs, **{header: value}).status_code == 404


def test_nothing_that_a_stranger_tries_changes_it(owner: Client, stranger: Client, theirs: Things) -> None:
    before = owner.get(f"/chat/conversations/{theirs.conversation}/export").json()
    for operation in routes.GUARDED:
        ask(stranger, operation, theirs)
    assert owner.get(f"/chat/conversations/{theirs.conversation}/export").json() == before


def test_nothing_that_anybody_unknown_tries_changes_it(people: People, owner: Client, theirs: Things) -> None:
    before = owner.get(f"/chat/conversations/{theirs.conversation}/export").json()
    for operation in routes.GUARDED:
        ask(Client(people.server.url), operation, theirs)
    assert owner.get(f"/chat/conversations/{theirs.conversation}/export").json() == before


@pytest.mark.parametrize("operation", routes.GUARDED, ids=" ".join)
def test_it_asks_everybody_who_they_are(operation: Operation, people: People, theirs: Things) -> None:
    answer = ask(Client(people.server.url), operation, theirs)
    assert (answer.status_code, answer.headers.get("WWW-Authenticate")) == (401, "Bearer")
    assert SECRET not in answer.text


@pytest.mark.parametrize("operation", routes.NAMED, ids=" ".join)
def test_it_asks_who_they_are_before_it_looks(operation: Operation, people: People, theirs: Things) -> None:
    anybody = Client(people.server.url)
    assert told(ask(anybody, operation, theirs), theirs) == told(ask(anybody, operation, NOWHERE), NOWHERE)


# -- what is named in bodies, parameters and headers -------------------------------------------------------------------

TURNS = [each for each in routes.UNSAFE if each[1].endswith(("completions", "conversation/message", "{provider}"))]


@pytest.mark.parametrize("operation", TURNS, ids=" ".join)
def test_another_conversation_of_that_name_is_begun(
    operation: Operation, owner: Client, stranger: Client, theirs: Things, simulator: Simulator
) -> None:
    simulator.clear()
    method, path = operation
    body = {**dict(routes.body_of(operation) or {}), "conversation_id": theirs.conversation}  # type: ignore[call-overload]
    if path.startswith("/v1"):
        del body["conversation_id"]
    headers = {"X-Conversation-ID": theirs.conversation}
    answer = stranger.http.request(method, theirs.path(path), json=body, headers=headers)
    assert answer.status_code == 200
    assert SECRET not in str(simulator.last()["body"])
    assert len(owner.texts(theirs.conversation)) == 2


def test_a_page_before_another_ones_message_is_refused(stranger: Client, theirs: Things) -> None:
    mine = things_of(stranger)
    for before in (theirs.reply, NOWHERE.reply):
        answer = stranger.get(f"/chat/history/{mine.conversation}?before={before}")
        assert (answer.status_code, theirs.reply in answer.text) == (400, False)


def test_another_ones_cursor_leads_to_ones_own(owner: Client, stranger: Client, theirs: Things) -> None:
    things_of(owner)
    things_of(stranger)
    cursor = owner.get("/chat/conversations?limit=1").json()["next_cursor"]
    own = {each["conversation_id"] for each in stranger.get("/chat/conversations?limit=100").json()["conversations"]}
    found = stranger.get(f"/chat/conversations?limit=100&cursor={cursor}").json()["conversations"]
    assert {each["conversation_id"] for each in found} <= own


@pytest.mark.parametrize("cursor", ["", "x", "W10:a:b", "%00", "e30:1:2", "ImEi:" + "a" * 5000])
def test_a_cursor_that_somebody_made_is_refused(cursor: str, stranger: Client) -> None:
    assert stranger.get(f"/chat/conversations?cursor={cursor}").status_code == 400


def test_nobody_elses_words_are_found(owner: Client, stranger: Client) -> None:
    owner.complete("A quokka sleeps in it.")
    assert owner.get("/chat/conversations?q=quokka").json()["conversations"]
    assert stranger.get("/chat/conversations?q=quokka").json()["conversations"] == []
