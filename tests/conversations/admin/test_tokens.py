from __future__ import annotations

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


@pytest.mark.parametrize("how", ["one", "several"])
def test_it_notes_who_revoked_whose(token: Any, how: str) -> None:
    client = staff("view_authtoken", "delete_authtoken")
    if how == "one":
        client.post(f"{TOKENS}{token.pk}/delete/", {"post": "yes"})
    else:
        client.post(TOKENS, {"action": "revoke", "_selected_action": [token.pk]})
    entry = LogEntry.objects.get()
    assert (entry.user.username, entry.object_repr) == ("staff", f"{token.token_key[:7]}… of ada")


def test_it_finds_tokens_by_their_user(token: Any) -> None:
    AuthToken.objects.create(user=User.objects.create_user("grace"))
    html = page(staff("view_authtoken"), f"{TOKENS}?q=ad")
    assert ("ada" in html, "grace" in html) == (True, False)
