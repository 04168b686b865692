"""Signing in and out: the session that is made, and where it leads."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from http.cookies import Morsel, SimpleCookie

import httpx
import pytest

from tests.contract.people import People, manage
from tests.services.server import LiveServer

PASSWORD = "correct horse battery"
MAKE = f"""
from conversations.models import User
for name in ("walker", "staff"):
    User.objects.create_user(name, password="{PASSWORD}", is_staff=name == "staff")
"""
_addresses = itertools.count(1)

ELSEWHERE = [
    "https://evil.example/",
    "http://evil.example",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example/",
    "http:evil.example",
    "http:///evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "/\t/evil.example/",
    "\t//evil.example/",
    "\x00//evil.example/",
    "https://127.0.0.1@evil.example/",
    "https://127.0.0.1.evil.example/",
]


@pytest.fixture(scope="module")
def walker(people: People) -> LiveServer:
    """The server, where somebody has a password."""
    manage(people.server, "shell", "--no-imports", "-c", MAKE)
    return people.server


@pytest.fixture
def signed_in(browser: httpx.Client, people: People) -> httpx.Client:
    browser.cookies.set("sessionid", people.session, domain="127.0.0.1")
    return browser


@pytest.fixture
def browser(walker: LiveServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=walker.url, trust_env=False, verify=False) as client:
        yield client


def send(browser: httpx.Client, path: str = "/sign-in/", after: str = "", **fields: str) -> httpx.Response:
    """Fill in the form. Each time from an address of its own, since attempts of one are counted."""
    page = browser.get(path, params={"next": after} if after else {})
    given = {"csrfmiddlewaretoken": token_in(page), "username": "walker", "password": PASSWORD, "next": after, **fields}
    return browser.post(path, data=given, headers={"X-Forwarded-For": f"192.0.2.{next(_addresses)}"})


def token_in(page: httpx.Response) -> str:
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert token is not None
    return token[1]


def cookie_of(answer: httpx.Response, name: str) -> Morsel[str]:
    for header in answer.headers.get_list("set-cookie"):
        if name in (cookies := SimpleCookie(header)):
            return cookies[name]
    raise AssertionError(f"no cookie {name} in {answer.headers}")


def is_known(browser: httpx.Client) -> bool:
    return browser.get("/chat/conversations").status_code == 200


# -- the session -------------------------------------------------------------------------------------------------------


def test_scripts_and_other_sites_do_not_get_the_session(browser: httpx.Client) -> None:
    cookie = cookie_of(send(browser), "sessionid")
    assert (cookie["httponly"], cookie["samesite"], cookie["domain"]) == (True, "Lax", "")


def test_a_session_that_somebody_else_chose_is_not_used(browser: httpx.Client) -> None:
    chosen = "abcdefghijklmnopqrstuvwxyz012345"
    browser.cookies.set("sessionid", chosen, domain="127.0.0.1")
    assert cookie_of(send(browser), "sessionid").value != chosen


def test_a_session_from_before_is_none_after(browser: httpx.Client, walker: LiveServer) -> None:
    """Whoever planted their own session gets nothing of what its victim signs in to."""
    first = cookie_of(send(browser), "sessionid").value
    browser.cookies.delete("csrftoken")
    assert cookie_of(send(browser, "/admin/login/", username="staff"), "sessionid").value != first
    planted = httpx.Client(base_url=walker.url, trust_env=False, verify=False, cookies={"sessionid": first})
    assert not is_known(planted)


def test_the_token_from_before_is_none_after(browser: httpx.Client) -> None:
    before = browser.get("/sign-in/").cookies["csrftoken"]
    assert cookie_of(send(browser), "csrftoken").value != before


def test_a_session_ends_when_its_user_signs_out(browser: httpx.Client, walker: LiveServer) -> None:
    session = cookie_of(send(browser), "sessionid").value
    kept = httpx.Client(base_url=walker.url, trust_env=False, verify=False, cookies={"sessionid": session})
    assert is_known(kept)
    browser.post("/sign-out/", headers={"X-CSRFToken": browser.cookies["csrftoken"]})
    assert not is_known(kept)


def test_signing_out_takes_more_than_a_link(browser: httpx.Client) -> None:
    send(browser)
    assert browser.get("/sign-out/").status_code == 405
    assert is_known(browser)


@pytest.mark.parametrize("name", ["walker", "nobody-of-that-name"])
def test_it_does_not_tell_who_has_an_account(browser: httpx.Client, name: str) -> None:
    answer = send(browser, username=name, password="wrong")
    assert answer.status_code == 200
    assert "Please enter a correct username and password" in answer.text


@pytest.mark.parametrize("path", ["/sign-in/", "/admin/login/"])
def test_no_cache_keeps_the_form(browser: httpx.Client, path: str) -> None:
    assert {"no-store", "private"} <= set(browser.get(path).headers["Cache-Control"].split(", "))


# -- where it leads ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/sign-in/", "/admin/login/"])
@pytest.mark.parametrize("after", ELSEWHERE)
def test_it_leads_nowhere_else(browser: httpx.Client, path: str, after: str) -> None:
    person = {"username": "staff"} if path.startswith("/admin") else {}
    answer = send(browser, path, after, **person)
    assert answer.status_code == 302
    assert answer.headers["Location"] in ("/", "/admin/")


@pytest.mark.parametrize("after", ELSEWHERE)
def test_it_leads_nowhere_else_once_signed_in(signed_in: httpx.Client, after: str) -> None:
    answer = signed_in.get("/sign-in/", params={"next": after})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


@pytest.mark.parametrize("after", ELSEWHERE)
def test_signing_out_leads_nowhere_else(walker: LiveServer, after: str) -> None:
    browser = httpx.Client(base_url=walker.url, trust_env=False, verify=False)
    token = token_in(browser.get("/sign-in/"))
    answer = browser.post("/sign-out/", params={"next": after}, data={"csrfmiddlewaretoken": token, "next": after})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_it_leads_to_where_one_wanted(browser: httpx.Client) -> None:
    assert send(browser, after="/?conversation=session-1").headers["Location"] == "/?conversation=session-1"


@pytest.mark.parametrize("path", ["//evil.example/", "/%2f/evil.example", "/\\evil.example/", "///evil.example/admin/"])
def test_no_path_is_taken_for_another_server(walker: LiveServer, path: str) -> None:
    answer = httpx.get(walker.url + path, trust_env=False, verify=False)
    assert "evil.example" not in answer.headers.get("Location", "")


# -- over TLS ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def encrypted() -> Iterator[LiveServer]:
    server = LiveServer(AUTH_MODE="required", DJANGO_HTTPS="yes", TRUSTED_PROXIES="127.0.0.1")
    yield server
    server.close()


@pytest.mark.parametrize("path", ["/sign-in/", "/admin/login/"])
def test_cookies_are_for_tls_alone(encrypted: LiveServer, path: str) -> None:
    answer = httpx.get(encrypted.url + path, headers={"X-Forwarded-Proto": "https"}, trust_env=False)
    assert cookie_of(answer, "csrftoken")["secure"]


@pytest.mark.parametrize("path", ["/", "/sign-in/", "/admin/login/", "/chat/history/session-1", "/v1/models"])
def test_browsers_are_told_to_come_by_tls_alone(encrypted: LiveServer, path: str) -> None:
    answer = httpx.get(encrypted.url + path, headers={"X-Forwarded-Proto": "https"}, trust_env=False)
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.parametrize("path", ["/", "/sign-in/", "/admin/login/"])
def test_pages_are_shown_by_tls_alone(encrypted: LiveServer, path: str) -> None:
    answer = httpx.get(encrypted.url + path, trust_env=False)
    assert (answer.status_code, answer.headers["Location"][:8]) == (301, "https://")


def test_nobody_else_says_that_it_was_tls() -> None:
    server = LiveServer(AUTH_MODE="required", DJANGO_HTTPS="yes")
    try:
        answer = httpx.get(f"{server.url}/sign-in/", headers={"X-Forwarded-Proto": "https"}, trust_env=False)
        assert answer.status_code == 301
    finally:
        server.close()
