"""How often a client may ask, over all providers together."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.contract.client import Client, new_id
from tests.simulator import Simulator

LIMIT = 6
HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")

_clients = itertools.count(1)


@pytest.fixture
def limited(client_of: Callable[..., Client]) -> Client:
    """Six requests a day for each client, and every test is another one."""
    return client_of(RATE_LIMIT=f"{LIMIT}/d", TRUSTED_PROXIES="127.0.0.1").as_(**{"X-Forwarded-For": _address()})


def _address() -> str:
    number = next(_clients)
    return f"203.0.{number // 250}.{number % 250 + 1}"


def left(answer: httpx.Response) -> int:
    return int(answer.headers["X-RateLimit-Remaining"])


def test_it_allows_500_requests_an_hour(client_of: Callable[..., Client]) -> None:
    headers = client_of(RATE_LIMIT="").chat("Hello").headers
    assert (headers["X-RateLimit-Limit"], headers["X-RateLimit-Remaining"]) == ("500", "499")
    assert 0 < int(headers["X-RateLimit-Reset"]) <= 3600


@pytest.mark.parametrize("mount", ["", "/api/v1"])
def test_it_tells_what_is_left_on_every_chat_reply(limited: Client, mount: str) -> None:
    paths = [f"{mount}/chat/gpt", f"{mount}/chat/claude", f"{mount}/chat/completions", f"{mount}/conversation/message"]
    body = {"message": "Hello", "messages": [{"role": "user", "content": "Hello"}]}
    answers = [limited.post(path, body) for path in paths]
    assert [left(answer) for answer in answers] == [5, 4, 3, 2]
    assert {answer.headers["X-RateLimit-Limit"] for answer in answers} == {"6"}


def test_it_counts_all_providers_together(limited: Client) -> None:
    for provider in ("gpt", "claude", "gemini") * 2:
        assert limited.chat("Hello", provider=provider).status_code == 200
    assert limited.chat("Hello", provider="claude").status_code == 429


def exhausted(limited: Client) -> Client:
    for _ in range(LIMIT):
        limited.chat("Hello")
    return limited


def test_it_refuses_with_429_and_the_time_to_wait(limited: Client) -> None:
    answer = exhausted(limited).chat("Hello")
    assert answer.status_code == 429
    assert list(answer.json()) == ["detail"]
    assert 0 < int(answer.headers["Retry-After"]) <= 86_400
    assert answer.headers["Retry-After"] == answer.headers["X-RateLimit-Reset"]
    assert left(answer) == 0


def test_it_refuses_completions_in_their_shape(limited: Client) -> None:
    answer = exhausted(limited).complete("Hello")
    assert answer.status_code == 429
    assert set(answer.json()) == {"error", "details"}


def test_it_asks_no_vendor_and_stores_nothing_beyond_the_limit(limited: Client, simulator: Simulator) -> None:
    exhausted(limited)
    simulator.clear()
    conversation = new_id()
    limited.complete("Hello", conversation_id=conversation)
    assert simulator.chats() == []
    assert limited.get(f"/chat/history/{conversation}").status_code == 404


def test_it_admits_exactly_the_limit_of_many_at_once(limited: Client) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: limited.chat("Hello"), range(24)))
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(200), statuses.count(429)) == (LIMIT, 24 - LIMIT)
    assert sorted(left(answer) for answer in answers if answer.status_code == 200) == list(range(LIMIT))


def test_it_admits_exactly_the_limit_of_many_stored_at_once(limited: Client) -> None:
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: limited.complete("Hello", conversation_id=new_id()), range(12)))
    assert [answer.status_code for answer in answers].count(200) == LIMIT


def test_it_counts_what_failed_at_the_vendor(limited: Client, simulator: Simulator) -> None:
    simulator.script(status=500)
    answer = limited.chat("Hello")
    assert (answer.status_code, left(answer)) == (500, 5)


def test_it_counts_no_reads(limited: Client) -> None:
    answered = limited.complete("Hello").json()
    for path in (
        f"/chat/history/{answered['conversation_id']}",
        f"/chat/messages/{answered['messageId']}",
        f"/chat/messages/{answered['messageId']}/stream",
        "/health",
        "/health/gpt",
    ):
        assert limited.get(path).status_code == 200
    limited.post("/chat/conversations")
    limited.cancel(answered["messageId"])
    assert left(limited.chat("Hello")) == 4


def test_it_counts_nothing_that_it_refused_before(limited: Client) -> None:
    limited.chat("")
    limited.chat("Hello", provider="unknown")
    limited.raw("/chat/gpt", b"{")
    limited.raw("/chat/gpt", b"x", "text/plain")
    limited.get("/chat/gpt")
    limited.post("/chat/messages/msg-1/regenerate")
    limited.post("/chat/messages/msg-1/edit", {"content": "Hello"})
    limited.complete("Hello", conversation_id=new_id(), parent_id="msg-1")
    limited.complete("Hello", headers={"Idempotency-Key": "two words"})
    assert left(limited.chat("Hello")) == 5


def test_it_counts_no_request_that_adds_nothing(limited: Client) -> None:
    conversation = new_id()
    limited.chat("Hello", conversation_id=conversation)
    messages = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "x"}]
    assert limited.chat(*messages, conversation_id=conversation).status_code == 400
    assert left(limited.chat("Hello")) == 4


def test_it_counts_no_replay_but_tells_what_is_left(limited: Client) -> None:
    conversation, key = new_id(), {"Idempotency-Key": "one"}
    first = limited.complete("Hello", conversation_id=conversation, headers=key)
    again = limited.complete("Hello", conversation_id=conversation, headers=key)
    assert (left(first), left(again)) == (5, 5)


def test_it_counts_regenerate_and_edit(limited: Client) -> None:
    conversation = new_id()
    reply = limited.complete("Hello", conversation_id=conversation).json()["messageId"]
    question = limited.history(conversation)[0]["id"]
    assert left(limited.post(f"/chat/messages/{reply}/regenerate")) == 4
    assert left(limited.post(f"/chat/messages/{question}/edit", {"content": "Bye"})) == 3


def test_it_counts_what_it_judged_a_conflict_and_says_so(limited: Client) -> None:
    conversation = new_id()
    limited.complete("Hello", conversation_id=conversation)
    question = limited.history(conversation)[0]["id"]
    answer = limited.post(f"/chat/messages/{question}/regenerate")
    assert (answer.status_code, left(answer)) == (409, 4)


def test_it_tells_apart_the_clients_that_a_trusted_proxy_names(limited: Client) -> None:
    exhausted(limited)
    assert limited.as_(**{"X-Forwarded-For": _address()}).chat("Hello").status_code == 200


def test_it_believes_only_what_the_proxy_itself_added(limited: Client) -> None:
    mine = _address()
    limited.as_(**{"X-Forwarded-For": f"192.0.2.1, {mine}"}).chat("Hello")
    answer = limited.as_(**{"X-Forwarded-For": f"192.0.2.77, {mine}"}).chat("Hello")
    assert left(answer) == 4


def test_it_believes_nobody_by_default(client_of: Callable[..., Client]) -> None:
    client = client_of(RATE_LIMIT="7/d")
    remaining = [left(client.as_(**{"X-Forwarded-For": _address()}).chat("Hello")) for _ in range(3)]
    assert remaining == [6, 5, 4]


@pytest.mark.parametrize("header", ["X-Real-IP", "Forwarded", "X-Client-IP", "CF-Connecting-IP"])
def test_it_believes_no_other_header(limited: Client, header: str) -> None:
    address = _address()
    limited.as_(**{"X-Forwarded-For": address, header: "192.0.2.1"}).chat("Hello")
    assert left(limited.as_(**{"X-Forwarded-For": address, header: "192.0.2.9"}).chat("Hello")) == 4


def test_it_takes_no_notice_of_authorization_in_open_mode(limited: Client) -> None:
    limited.chat("Hello", headers={"Authorization": "Bearer one"})
    assert left(limited.chat("Hello", headers={"Authorization": "Bearer two"})) == 4


def test_it_tells_a_frontend_what_is_left(limited: Client) -> None:
    headers = limited.chat("Hello", headers={"Origin": "http://localhost:5000"}).headers
    assert all(name.lower() in headers["Access-Control-Expose-Headers"].lower() for name in HEADERS)
