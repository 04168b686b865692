"""`AUTH_MODE=required`: whose conversation it is, and that it does not exist for anybody else."""

from __future__ import annotations

import pytest

from tests.contract import events
from tests.contract.client import Client, new_id, wait_for
from tests.contract.conftest import Serve
from tests.contract.people import People, manage, people_of
from tests.services.server import LiveServer
from tests.simulator import Simulator

FRONTEND = "http://localhost:5000"


@pytest.fixture(scope="module")
def guarded(serve: Serve) -> LiveServer:
    return serve(AUTH_MODE="required")


@pytest.fixture(scope="module")
def people(guarded: LiveServer) -> People:
    return people_of(guarded)


@pytest.fixture
def owner(people: People, simulator: Simulator) -> Client:
    return people.client("owner")


@pytest.fixture(params=["teammate", "stranger"])
def other(request: pytest.FixtureRequest, people: People) -> Client:
    return people.client(request.param)


@pytest.fixture
def anybody(guarded: LiveServer, simulator: Simulator) -> Client:
    return Client(guarded.url)


ROUTES: list[tuple[str, str, object]] = [
    ("POST", "/chat/completions", {"message": "Hello"}),
    ("POST", "/conversation/message", {"message": "Hello"}),
    ("POST", "/chat/gpt", {"messages": [{"role": "user", "content": "Hello"}]}),
    ("POST", "/chat/conversations", {}),
    ("GET", "/chat/history/session-1", None),
    ("GET", "/chat/messages/msg-1", None),
    ("GET", "/chat/messages/msg-1/stream", None),
    ("POST", "/chat/messages/msg-1/cancel", None),
    ("POST", "/chat/messages/msg-1/regenerate", None),
    ("POST", "/chat/messages/msg-1/edit", {"content": "Hello"}),
]
BAD = {
    "nothing": {},
    "an empty bearer": {"Authorization": "Bearer"},
    "an unknown token": {"Authorization": "Bearer " + "0" * 64},
    "odd characters": {"Authorization": "Bearer \xe9\xe9"},
    "another scheme": {"Authorization": "Basic b3duZXI6b3duZXI="},
    "an unknown session": {"Cookie": "sessionid=abcdefghijklmnopqrstuvwxyz012345"},
    "a session of nonsense": {"Cookie": "sessionid=../../etc"},
}


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
@pytest.mark.parametrize("mount", ["", "/api/v1"])
def test_it_lets_nobody_in_without_credentials(
    anybody: Client, method: str, path: str, body: object, mount: str
) -> None:
    answer = anybody.http.request(method, mount + path, json=body)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert set(answer.json()) in ({"detail"}, {"error", "details"})


@pytest.mark.parametrize("headers", BAD.values(), ids=BAD.keys())
def test_it_lets_nobody_in_with_bad_ones(anybody: Client, headers: dict[str, str]) -> None:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    answer = anybody.http.get("/chat/history/session-1", headers=raw)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_it_repeats_no_token(anybody: Client) -> None:
    answer = anybody.get("/chat/history/session-1", headers={"Authorization": "Bearer my-secret-token"})
    assert "my-secret-token" not in answer.text


@pytest.mark.parametrize("path", ["/health", "/health/gpt", "/livez"])
def test_it_tells_everybody_how_it_is(anybody: Client, path: str) -> None:
    assert anybody.get(path).status_code == 200


def test_it_answers_a_preflight_without_credentials(anybody: Client) -> None:
    headers = {"Origin": FRONTEND, "Access-Control-Request-Method": "POST"}
    assert anybody.http.options("/chat/gpt", headers=headers).status_code in (200, 204)


def test_it_lets_the_frontend_read_the_401(anybody: Client) -> None:
    answer = anybody.chat("Hello", headers={"Origin": FRONTEND})
    assert answer.headers["Access-Control-Allow-Origin"] == FRONTEND


def test_the_owner_may_do_everything(owner: Client) -> None:
    conversation = new_id()
    reply = owner.complete("Hello", conversation_id=conversation).json()["messageId"]
    question = owner.history(conversation)[0]["id"]
    answers = [
        owner.get(f"/chat/messages/{reply}"),
        owner.get(f"/chat/messages/{reply}/stream"),
        owner.cancel(reply),
        owner.post(f"/chat/messages/{reply}/regenerate"),
        owner.post(f"/chat/messages/{question}/edit", {"content": "Bye"}),
        owner.chat("More", conversation_id=conversation),
    ]
    assert [answer.status_code for answer in answers] == [200] * 6


@pytest.fixture
def theirs(owner: Client) -> tuple[str, str, str]:
    """Conversation, question and reply of the owner."""
    conversation = new_id()
    owner.complete("A secret", conversation_id=conversation)
    question, reply = owner.history(conversation)
    return conversation, question["id"], reply["id"]


def test_nobody_else_finds_it(other: Client, theirs: tuple[str, str, str]) -> None:
    conversation, question, reply = theirs
    answers = [
        other.get(f"/chat/history/{conversation}"),
        other.get(f"/chat/messages/{reply}"),
        other.get(f"/chat/messages/{question}"),
        other.get(f"/chat/messages/{reply}/stream"),
        other.cancel(reply),
        other.post(f"/chat/messages/{reply}/regenerate"),
        other.post(f"/chat/messages/{question}/edit", {"content": "Bye"}),
    ]
    assert [answer.status_code for answer in answers] == [404] * 7
    assert not any("A secret" in answer.text for answer in answers)


def test_it_answers_like_for_what_nobody_has(other: Client, theirs: tuple[str, str, str]) -> None:
    there = other.get(f"/chat/messages/{theirs[2]}")
    nowhere = other.get("/chat/messages/msg-1")
    assert there.json() == nowhere.json()


def test_nobody_else_stops_or_joins_a_running_reply(owner: Client, other: Client, simulator: Simulator) -> None:
    simulator.script("openai", chunks=["Hello", " there"], fault="stall", after=1)
    with owner.stream("Hi", conversation_id=new_id()) as stream:
        stream.until_text()
        mine = stream.message_id
        assert other.get(f"/chat/messages/{mine}/stream").status_code == 404
        assert other.cancel(mine).status_code == 404
        assert owner.message(mine)["status"] == "streaming"
        owner.cancel(mine)


def test_nobody_elses_message_is_a_parent(owner: Client, other: Client, theirs: tuple[str, str, str]) -> None:
    conversation = new_id()
    other.complete("Mine", conversation_id=conversation)
    assert other.complete("More", conversation_id=conversation, parent_id=theirs[2]).status_code == 400


def test_two_may_choose_the_same_id(owner: Client, other: Client, theirs: tuple[str, str, str]) -> None:
    conversation = theirs[0]
    assert other.complete("Mine alone", conversation_id=conversation).status_code == 200
    assert other.texts(conversation)[0] == "Mine alone"
    assert owner.texts(conversation)[0] == "A secret"


def test_keys_of_two_are_two(owner: Client, other: Client) -> None:
    key = {"Idempotency-Key": new_id()}
    first = owner.complete("Hello", headers=key).json()
    second = other.complete("Goodbye", headers=key)
    assert second.status_code == 200
    assert second.json()["messageId"] != first["messageId"]


def test_a_key_is_its_owners_on_every_connection(people: People, simulator: Simulator) -> None:
    key = {"Idempotency-Key": new_id()}
    first = people.client("owner").complete("Hello", headers=key).json()
    again = Client(people.server.url, headers={"Authorization": f"bearer {people.tokens['owner']}"})
    assert again.complete("Hello", headers=key).json() == first
    assert len(simulator.chats()) == 1


def test_limits_count_by_token_not_by_address(owner: Client, other: Client) -> None:
    before = int(owner.chat("Hello").headers["X-RateLimit-Remaining"])
    other.chat("Hello")
    assert int(owner.chat("Hello").headers["X-RateLimit-Remaining"]) == before - 1


def test_it_forgets_a_revoked_token_within_seconds(people: People, simulator: Simulator) -> None:
    leaver = people.client("leaver")
    assert leaver.chat("Hello").status_code == 200
    manage(people.server, "create_token", "leaver", "--revoke")
    wait_for(lambda: leaver.get("/chat/history/session-1").status_code == 401)


def test_it_refuses_an_expired_token(people: People) -> None:
    assert people.client("late").get("/chat/history/session-1").status_code == 401


# -- sessions ----------------------------------------------------------------------------------------------------------


def test_a_session_reads_what_is_its_owners(people: People, theirs: tuple[str, str, str]) -> None:
    assert people.browser(csrf=False).texts(theirs[0])[0] == "A secret"


def test_a_session_writes_with_its_csrf_token(people: People, owner: Client) -> None:
    conversation = new_id()
    stream = people.browser(csrf=True).events("From a browser", conversation_id=conversation)
    assert stream[-1].data == events.DONE
    assert owner.texts(conversation)[0] == "From a browser"


def test_a_session_writes_nothing_without_it(people: People, owner: Client) -> None:
    conversation = new_id()
    answer = people.browser(csrf=False).complete("Forged", conversation_id=conversation)
    assert answer.status_code == 403
    assert set(answer.json()) == {"error", "details"}
    assert owner.get(f"/chat/history/{conversation}").status_code == 404


def test_a_session_writes_nothing_for_another_site(people: People) -> None:
    answer = people.browser(csrf=True).chat("Forged", headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403


def test_a_session_writes_for_the_frontend(people: People) -> None:
    assert people.browser(csrf=True).chat("Meant", headers={"Origin": FRONTEND}).status_code == 200


def test_a_bearer_counts_more_than_a_session(people: People) -> None:
    headers = {"Authorization": f"Bearer {people.tokens['stranger']}"}
    answer = people.browser(csrf=False).complete("Hello", headers=headers)
    assert answer.status_code == 200
    conversation = answer.json()["conversation_id"]
    assert people.client("stranger").get(f"/chat/history/{conversation}").status_code == 200
    assert people.client("owner").get(f"/chat/history/{conversation}").status_code == 404


# -- open mode ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["Bearer sk-anything", "Basic abc", "Bearer", "nonsense", "Bearer " + "x" * 5000])
def test_open_mode_takes_no_notice_of_authorization(client: Client, value: str) -> None:
    conversation = new_id()
    client.complete("Hello", conversation_id=conversation, headers={"Authorization": value})
    assert client.texts(conversation)[0] == "Hello"


def test_open_mode_sees_no_conversation_that_has_an_owner(guarded: LiveServer, theirs: tuple[str, str, str]) -> None:
    opened = LiveServer(database=guarded.database_url)
    try:
        client = Client(opened.url)
        assert client.get(f"/chat/history/{theirs[0]}").status_code == 404
        assert client.get(f"/chat/messages/{theirs[2]}").status_code == 404
        assert client.get(f"/chat/messages/{theirs[2]}/stream").status_code == 404
    finally:
        opened.close()


def test_required_mode_sees_none_without(owner: Client) -> None:
    assert owner.get("/chat/history/nobodys").status_code == 404
