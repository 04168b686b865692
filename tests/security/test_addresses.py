"""Addresses made to mean something else than they say."""

from __future__ import annotations

import pytest

from tests.dialogix.sockets import exchange
from tests.security.wire import head, statuses
from tests.services.server import LiveServer

OUTSIDE = [
    "/../../etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/static/../dialogix/settings.py",
    "/static/%2e%2e/%2e%2e/dialogix/settings.py",
    "/static/..%2f..%2fdialogix/settings.py",
    "/static/..%5c..%5cdialogix/settings.py",
    "/static/%252e%252e/%252e%252e/dialogix/settings.py",
    "/static/%c0%ae%c0%ae/%c0%ae%c0%ae/dialogix/settings.py",
    "/static/..;/..;/dialogix/settings.py",
    "/static//etc/passwd",
    "/static/conversations/chat/../../../../dialogix/settings.py",
    "/static/conversations/chat/app.js%00.css",
    "/static/%00",
    "/.env",
    "/.git/config",
    "/.state/secret_key",
    "/dialogix/settings.py",
    "/static/conversations/chat/",
    "/static/",
]


@pytest.mark.parametrize("path", OUTSIDE)
def test_it_serves_no_file_but_those_meant_for_it(path: str, server: LiveServer) -> None:
    assert statuses(server, head(path)) == [404]


NO_IDS = [
    "%00",
    "a%00b",
    "%2e%2e",
    "..",
    "%2e%2e%2fx",
    "%c0%ae",
    "%ff",
    "%ed%a0%80",
    "%0d%0aX-A:b",
    "a%20b",
    "%25",
    "%",
]


@pytest.mark.parametrize("name", NO_IDS)
@pytest.mark.parametrize("place", ["/chat/history/{}", "/chat/messages/{}", "/chat/conversations/{}/export"])
def test_it_finds_nothing_under_what_is_no_id(place: str, name: str, server: LiveServer) -> None:
    assert statuses(server, head(place.format(name))) == [404]


@pytest.mark.parametrize("name", [each for each in NO_IDS if each != ".."])
@pytest.mark.parametrize(
    "place", ["/chat/{}", "/health/{}", "/v1/models/{}", "/ws/conversations/{}/", "/admin/{}", "/{}"]
)
def test_it_breaks_at_no_name(place: str, name: str, server: LiveServer) -> None:
    (status,) = statuses(server, head(place.format(name)))
    assert status < 500


@pytest.mark.parametrize(
    "query",
    [
        "limit=%00",
        "limit=9" + "9" * 400,
        "limit=-1",
        "limit=1e1",
        "limit=%D9%A1",
        "before=%00",
        "before=msg-" + "9" * 100,
    ],
)
def test_it_refuses_a_parameter_that_is_none(query: str, server: LiveServer) -> None:
    assert statuses(server, head(f"/chat/history/session-1?{query}")) in ([400], [404])


@pytest.mark.parametrize("after", ["%00", "-1", "1e9", "9" * 400, "%D9%A1", "0x1", " 1", "+1"])
def test_it_refuses_a_position_that_is_none(after: str, server: LiveServer) -> None:
    path = f"/chat/messages/msg-1/stream?after={after.replace(' ', '%20').replace('+', '%2B')}"
    assert statuses(server, head(path)) in ([400], [404])
    assert statuses(server, head("/chat/messages/msg-1/stream", f"Last-Event-ID: {after}")) in ([400], [404])


@pytest.mark.parametrize("path", ["/chat/history/session-1", "/chat/messages/msg-1/stream", "/admin/login/"])
def test_it_refuses_more_parameters_than_anybody_needs(path: str, server: LiveServer) -> None:
    query = "&".join(f"{number}=1" for number in range(1500))
    assert statuses(server, head(f"{path}?{query}")) == [400]


@pytest.mark.parametrize("path", ["/health", "/chat/history/session-1", "/sign-in/", "/admin/login/"])
def test_no_header_is_made_of_an_address(path: str, server: LiveServer) -> None:
    answer = exchange(
        server, head(f"{path}?next=%0d%0aX-Injected:%20yes&x=%0aSet-Cookie:a=b", "Origin: x%0d%0aX-Injected: y")
    )
    fields = answer.partition(b"\r\n\r\n")[0].lower().split(b"\r\n")
    assert not any(field.startswith((b"x-injected", b"set-cookie: a=b")) for field in fields)


@pytest.mark.parametrize(
    "path", ["/chat/gpt%00", "/chat/%67pt", "/CHAT/gpt", "/chat//gpt", "/chat/./gpt", "/chat/x/../gpt"]
)
def test_one_route_has_one_address(path: str, server: LiveServer) -> None:
    """So that what a proxy forbids is not reached by another spelling; `%67` is the letter itself."""
    status = statuses(server, head(path, "Content-Length: 0", method="POST"))
    assert status == ([400] if path in ("/chat/%67pt", "/chat/gpt%00") else [404])
