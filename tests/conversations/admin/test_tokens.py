from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from knox.models import AuthToken

from conversations.models import User
from tests.conversations.admin.people import page, staff

pytestmark = pytest.mark.django_db

TOKENS = "/admin/knox/authtoken/"


@pytest.fixture
def token() -> Any:
    return AuthToken.objects.create(user=User.objects.create_user("ada"))[0]


def test_it_says_what_revoking_does(token: Any) -> None:
    html = page(staff("view_authtoken", "delete_authtoken"), f"{TOKENS}{token.pk}/delete/")
    assert "Programs that use it are refused" in html
    assert f">{token.digest}<" not in html


def test_it_revokes_several(token: Any) -> None:
    other = AuthToken.objects.create(user=token.user)[0]
    data = {"action": "revoke", "_selected_action": [token.pk, other.pk]}
    response = staff("view_authtoken", "delete_authtoken").post(TOKENS, data, follow=True)
    assert "Revoked 2 tokens." in response.content.decode()
    assert AuthToken.objects.count() == 0


def test_it_revokes_nothing_without_the_permission(token: Any) -> None:
    client = staff("view_authtoken")
    client.post(TOKENS, {"action": "revoke", "_selected_action": [token.pk]})
    assert client.post(f"{TOKENS}{token.pk}/delete/", {"post": "yes"}).status_code == 403
    assert AuthToken.objects.count() == 1


def test_its_page_names_it_by_its_beginning(token: Any) -> None:
    html = page(staff("view_authtoken", "delete_authtoken"), f"{TOKENS}{token.pk}/change/")
    heading = re.sub(r"<[^>]*>|\s+", " ", html)
    assert f"Token {token.token_key[:7]}… of ada" in heading
    assert token.digest.lower() not in heading.lower()


def test_its_page_leads_to_revoking_it(token: Any) -> None:
    html = page(staff("view_authtoken", "delete_authtoken"), f"{TOKENS}{token.pk}/change/")
    assert (f'href="{TOKENS}{token.pk}/delete/">Revoke' in html, "Delete" in html) == (True, False)


def test_its_page_offers_nothing_to_those_who_may_only_look(token: Any) -> None:
    assert ">Revoke" not in page(staff("view_authtoken"), f"{TOKENS}{token.pk}/change/")


def test_it_says_that_it_revoked_one(token: Any) -> None:
    client = staff("view_authtoken", "delete_authtoken")
    html = client.post(f"{TOKENS}{token.pk}/delete/", {"post": "yes"}, follow=True).content.decode()
    assert "Revoked 1 token." in html
    assert token.digest.lower() not in html.lower()


@pytest.mark.parametrize("how", ["one", "several"])
def test_it_notes_who_revoked_whose(token: Any, how: str) -> None:
    client = staff("view_authtoken", "delete_authtoken")
    if how == "one":
        client.post(f"{TOKENS}{token.pk}/delete/", {"post": "yes"})
    else:
        client.post(TOKENS, {"action": "revoke", "_selected_action": [token.pk]})
    entry = LogEntry.objects.get()
    assert (entry.user.username, entry.object_repr) == ("staff", f"Token {token.token_key[:7]}… of ada")


def test_it_finds_tokens_by_their_user(token: Any) -> None:
    AuthToken.objects.create(user=User.objects.create_user("grace"))
    html = page(staff("view_authtoken"), f"{TOKENS}?q=ad")
    assert ("ada" in html, "grace" in html) == (True, False)
