from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from knox.auth import TokenAuthentication
from knox.models import AuthToken
from rest_framework.exceptions import AuthenticationFailed

from conversations.models import User

pytestmark = pytest.mark.django_db


def create_token(*arguments: str) -> str:
    out = StringIO()
    call_command("create_token", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def owner_of(token: str) -> User:
    return TokenAuthentication().authenticate_credentials(token.strip().encode())[0]


def test_it_prints_the_token_alone() -> None:
    assert len(create_token("ada").split()) == 1


def test_it_makes_a_token_that_is_good() -> None:
    assert owner_of(create_token("ada")).username == "ada"


def test_it_creates_a_user_who_cannot_sign_in_otherwise() -> None:
    assert not owner_of(create_token("ada")).has_usable_password()


def test_it_uses_the_user_that_exists() -> None:
    ada = User.objects.create_user("ada", password="correct horse")
    assert owner_of(create_token("ada")) == ada
    assert User.objects.get().check_password("correct horse")


def test_it_keeps_earlier_tokens() -> None:
    first = create_token("ada")
    create_token("ada")
    assert owner_of(first).username == "ada"


def test_it_keeps_no_token_in_clear() -> None:
    token = create_token("ada").strip()
    stored = AuthToken.objects.values().get()
    assert token not in str(stored)


def test_it_lets_a_token_expire_in_90_days() -> None:
    create_token("ada")
    left = AuthToken.objects.get().expiry - timezone.now()
    assert timedelta(days=89) < left <= timedelta(days=90)


def test_it_takes_another_duration() -> None:
    create_token("ada", "--expires-in", "12h")
    assert AuthToken.objects.get().expiry <= timezone.now() + timedelta(hours=12)


def test_it_makes_a_token_that_never_expires() -> None:
    create_token("ada", "--expires-in", "never")
    assert AuthToken.objects.get().expiry is None


@pytest.mark.parametrize("text", ["0d", "-1d", "90", "d", "9999999d", "soon"])
def test_it_refuses_what_is_no_duration(text: str) -> None:
    with pytest.raises(CommandError, match="duration"):
        create_token("ada", f"--expires-in={text}")


@pytest.mark.parametrize("name", ["", "a b", "x" * 151])
def test_it_refuses_what_is_no_user_name(name: str) -> None:
    with pytest.raises(CommandError):
        create_token(name)
    assert User.objects.count() == 0


def test_it_refuses_a_user_who_is_not_active() -> None:
    User.objects.create_user("ada", is_active=False)
    with pytest.raises(CommandError, match="not active"):
        create_token("ada")


def test_it_revokes_all_tokens_of_the_user() -> None:
    token = create_token("ada")
    create_token("ada", "--revoke")
    with pytest.raises(AuthenticationFailed):
        owner_of(token)


def test_it_prints_no_token_when_it_revokes() -> None:
    create_token("ada")
    assert create_token("ada", "--revoke") == ""


def test_it_revokes_nobody_elses_tokens() -> None:
    grace = create_token("grace")
    create_token("ada")
    create_token("ada", "--revoke")
    assert owner_of(grace).username == "grace"


def test_it_has_nothing_to_revoke_of_a_stranger() -> None:
    with pytest.raises(CommandError, match="no user"):
        create_token("nobody", "--revoke")
