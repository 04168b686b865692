"""What another site could make a signed-in browser do: nothing."""

from __future__ import annotations

import httpx
import pytest

from tests.contract.client import Client
from tests.contract.people import People
from tests.schema.routes import Operation
from tests.security import routes
from tests.security.routes import NOWHERE

FRONTEND = "http://localhost:5000"


def ask(client: Client, operation: Operation, **headers: str) -> httpx.Response:
    method, path = operation
    return client.http.request(method, NOWHERE.path(path), json=routes.body_of(operation), headers=headers)


@pytest.mark.parametrize("operation", routes.UNSAFE, ids=" ".join)
def test_a_session_alone_changes_nothing(operation: Operation, people: People) -> None:
    assert ask(people.browser(csrf=False), operation).status_code == 403


@pytest.mark.parametrize("operation", routes.UNSAFE, ids=" ".join)
def test_no_other_origin_uses_its_token(operation: Operation, people: People) -> None:
    assert ask(people.browser(csrf=True), operation, Origin="https://evil.example").status_code == 403


@pytest.mark.parametrize("operation", routes.UNSAFE, ids=" ".join)
def test_a_token_of_another_cookie_does_not_do(operation: Operation, people: People) -> None:
    assert ask(people.browser(csrf=True), operation, **{"X-CSRFToken": "b" * 32}).status_code == 403


@pytest.mark.parametrize("operation", routes.UNSAFE, ids=" ".join)
def test_a_form_of_another_site_does_not_do(operation: Operation, people: People) -> None:
    """A form needs no script and asks nobody first; it may say anything but JSON, and names its token in its body."""
    method, path = operation
    browser = people.browser(csrf=False)
    answer = browser.http.request(method, NOWHERE.path(path), data={"csrfmiddlewaretoken": "a" * 32})
    assert answer.status_code == 403


@pytest.mark.parametrize("operation", routes.UNSAFE, ids=" ".join)
def test_our_own_pages_may(operation: Operation, people: People) -> None:
    assert ask(people.browser(csrf=True), operation, Origin=FRONTEND).status_code in (200, 404)


@pytest.mark.parametrize("operation", routes.UNSAFE, ids=" ".join)
def test_a_bearer_needs_no_token(operation: Operation, people: People) -> None:
    """No browser sends it along by itself."""
    bearer = {"Authorization": f"Bearer {people.tokens['owner']}", "Origin": "https://evil.example"}
    assert ask(people.browser(csrf=False), operation, **bearer).status_code in (200, 404)


@pytest.mark.parametrize("operation", [each for each in routes.GUARDED if each[0] == "GET"], ids=" ".join)
def test_looking_needs_none(operation: Operation, people: People) -> None:
    assert ask(people.browser(csrf=False), operation).status_code in (200, 404)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_looking_changes_nothing(method: str, people: People, owner: Client) -> None:
    """What needs no token must not do anything: no method stands for another one."""
    conversation = owner.post("/chat/conversations").json()["conversation_id"]
    for header in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        address = f"/chat/conversations/{conversation}?_method=DELETE"
        people.browser(csrf=False).http.request(method, address, headers={header: "DELETE"})
    assert owner.get(f"/chat/conversations/{conversation}").status_code == 200


@pytest.mark.parametrize(
    "path", ["/sign-in/", "/sign-out/", "/admin/login/", "/admin/logout/", "/admin/password_change/"]
)
def test_no_other_site_sends_the_forms(path: str, people: People) -> None:
    answer = people.browser(csrf=False).http.post(path, data={"username": "owner", "password": "guess"})
    assert answer.status_code == 403
