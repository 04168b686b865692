"""Every page of the admin, as the URLconf has them: closed to whoever is no staff, and silent about contents to whoever
may not read them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from django.contrib import admin
from django.contrib.admindocs.views import extract_views_from_urlpatterns, simplify_regex

from providers.simulator import server as simulator_server
from tests.contract.client import Client, new_id
from tests.contract.people import People, manage
from tests.simulator import Simulator

SAID = "The heron stands in the reeds."
ANSWERED = "It waits for a carp."
RULES = "Speak like a boatman."
TITLE = "About a heron"
CONTENTS = (SAID, ANSWERED, RULES, TITLE)

MAKE = """
import json
from django.contrib.auth.models import Permission
from django.test import Client
from conversations.models import Message, User

CLOSED = ["view_contents", "add_user", "change_user", "delete_user"]

def session(name, **options):
    user = User.objects.create_user(name, is_staff=True, **options)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="conversations").exclude(codename__in=CLOSED))
    browser = Client()
    browser.force_login(user)
    return browser.cookies["sessionid"].value

message = Message.objects.filter(content="It waits for a carp.").get()
kinds = {"conversation": message.conversation_id, "message": message.pk, "attempt": message.attempts.get().pk}
print(json.dumps([kinds, session("helper"), session("chief", is_superuser=True)]))
"""
FOR_ALL = re.compile(r"/admin/(login|logout|jsi18n)/")
"""The form itself, what ends a session, and words for scripts."""


def _addresses() -> Iterator[str]:
    for _, regex, *_ in extract_views_from_urlpatterns(admin.site.urls[0], base="/admin/"):
        address = simplify_regex(str(regex)).replace("<app_label>", "conversations")
        if not FOR_ALL.match(address) and not address.endswith("<url>"):  # the last is whatever else: nothing
            yield address


EXPORT = "/admin/conversations/conversation/<int:key>/export/"
FORMATS = ("json", "markdown")
ADDRESSES = sorted(_addresses())


@dataclass(frozen=True)
class Doors:
    """keys: of what there is, by kind; helper: may everything but read; chief: may everything"""

    keys: dict[str, int]
    helper: Client
    chief: Client

    def path(self, address: str) -> str:
        kind = next((each for each in self.keys if f"/{each}/" in address), "")
        return re.sub(r"<[^>]+>", str(self.keys.get(kind, 1)), address)

    def shown(self, client: Client) -> str:
        """All pages that there are, one after the other, and what is found for words that were said."""
        lists = [address for address in ADDRESSES if "<" not in address]
        paths = [*ADDRESSES, *(f"{each}?q=heron" for each in lists), *(f"{EXPORT}?format={each}" for each in FORMATS)]
        return "\n".join(client.get(self.path(path)).text for path in paths)


@pytest.fixture(scope="module")
def doors(people: People) -> Doors:
    simulator = Simulator(simulator_server.ensure_running())
    simulator.clear()
    simulator.script(text=ANSWERED)
    owner, conversation = people.client("owner"), new_id()
    messages = [{"role": "system", "content": RULES}, {"role": "user", "content": SAID}]
    owner.http.post("/chat/gpt", json={"messages": messages, "conversation_id": conversation})
    owner.http.patch(f"/chat/conversations/{conversation}", json={"title": TITLE})
    keys, *sessions = json.loads(manage(people.server, "shell", "--no-imports", "-c", MAKE))
    helper, chief = (Client(people.server.url, headers={"Cookie": f"sessionid={each}"}) for each in sessions)
    return Doors(keys, helper, chief)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_it_is_closed_to_users(method: str, people: People, doors: Doors) -> None:
    browser = people.browser(csrf=True).http
    assert {asked_to(browser, method, doors.path(address)) for address in ADDRESSES} == {(302, "/admin/login/")}


def test_it_is_closed_to_tokens(people: People, doors: Doors) -> None:
    browser = people.client("owner").http
    assert {asked_to(browser, "GET", doors.path(address)) for address in ADDRESSES} == {(302, "/admin/login/")}


def asked_to(browser: httpx.Client, method: str, path: str) -> tuple[int, str]:
    answer = browser.request(method, path)
    return answer.status_code, answer.headers.get("Location", "").partition("?")[0]


def test_whoever_may_read_finds_what_was_said(doors: Doors) -> None:
    shown = doors.shown(doors.chief)
    assert [each for each in CONTENTS if each not in shown] == []


def test_whoever_may_not_read_finds_nothing_of_it(doors: Doors) -> None:
    shown = doors.shown(doors.helper)
    assert [each for each in CONTENTS if each in shown] == []


def test_whoever_may_not_read_sees_that_it_is_there(doors: Doors) -> None:
    assert doors.helper.get(doors.path("/admin/conversations/conversation/<x>/change/")).status_code == 200
