"""Where the routes are: at the root and under /api/v1, with a trailing slash or without, and never a redirect."""

from __future__ import annotations

import httpx
import pytest

from tests.contract.client import Client, new_id, user

POSTS = {
    "/chat/completions": {"message": "Hello"},
    "/conversation/message": {"message": "Hello", "conversation_id": new_id()},
    "/chat/conversations": {},
    "/chat/gpt": {"messages": [user("Hello")]},
}


@pytest.mark.parametrize("path", ["/health", "/health/gpt"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_it_answers_every_get_at_both_mounts(mounted: Client, path: str, slash: str) -> None:
    assert mounted.get(path + slash).status_code == 200


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("slash", ["", "/"])
def test_it_answers_every_post_at_both_mounts(mounted: Client, path: str, slash: str) -> None:
    assert mounted.post(path + slash, POSTS[path]).status_code == 200


@pytest.mark.parametrize("slash", ["", "/"])
def test_it_answers_a_history_at_both_mounts(mounted: Client, slash: str) -> None:
    created = mounted.post("/chat/conversations").json()["conversation_id"]
    assert mounted.get(f"/chat/history/{created}{slash}").json() == {"messages": []}


@pytest.mark.parametrize("slash", ["", "/"])
def test_it_answers_what_belongs_to_a_message_at_both_mounts(mounted: Client, slash: str) -> None:
    answered = mounted.complete("Hello", conversation_id=new_id()).json()
    mine = f"/chat/messages/{answered['messageId']}"
    answers = [
        mounted.get(f"{mine}{slash}"),
        mounted.get(f"{mine}/stream{slash}"),
        mounted.post(f"{mine}/cancel{slash}"),
        mounted.post(f"{mine}/regenerate{slash}"),
    ]
    assert [answer.status_code for answer in answers] == [200] * 4


def test_it_serves_one_conversation_at_both_mounts(client: Client) -> None:
    conversation = new_id()
    client.complete("At the root", conversation_id=conversation)
    other = Client(client.url, prefix="/api/v1")
    assert other.texts(conversation)[0] == "At the root"


@pytest.mark.parametrize("path", ["/health", "/health/gpt", "/chat/history/{}"])
def test_it_answers_head_like_get_without_a_body(client: Client, path: str) -> None:
    where = path.format(client.post("/chat/conversations").json()["conversation_id"])
    answer = client.http.head(where)
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/health", "GET, HEAD, OPTIONS"),
        ("/health/gpt", "GET, HEAD, OPTIONS"),
        ("/chat/completions", "POST, OPTIONS"),
        ("/chat/gpt", "POST, OPTIONS"),
        ("/chat/history/session-1", "GET, HEAD, OPTIONS"),
    ],
)
def test_it_answers_options_with_the_methods_of_the_route(mounted: Client, path: str, methods: str) -> None:
    answer = mounted.http.options(path)
    assert (answer.status_code, answer.headers["Allow"]) == (204, methods)


@pytest.mark.parametrize(
    "accept", ["*/*", "text/event-stream", "application/json", "text/html", "image/png", "nonsense", ""]
)
@pytest.mark.parametrize("path", ["/chat/gpt", "/chat/completions"])
def test_it_judges_no_accept(client: Client, path: str, accept: str) -> None:
    answer = client.http.post(path, json=POSTS[path], headers={"Accept": accept})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/health", "/health/gpt", "/chat/history/unknown-one"])
def test_it_judges_no_accept_where_it_reads(client: Client, path: str) -> None:
    assert client.get(path, headers={"Accept": "application/xml"}).status_code != 406


def test_it_refuses_a_host_that_it_does_not_serve_in_json(client: Client) -> None:
    answer = client.get("/health/gpt", headers={"Host": "evil.example"})
    assert (answer.status_code, list(answer.json())) == (400, ["detail"])


def test_it_redirects_no_post(client: Client) -> None:
    answers: list[httpx.Response] = [
        client.post(path + slash, POSTS[path]) for path in POSTS for slash in ("", "/", "//")
    ]
    assert not any(answer.is_redirect for answer in answers)
