"""Users whom an outside provider vouches for."""

from __future__ import annotations

from django.contrib.auth.hashers import make_password

from conversations.models import User


def active_user(username: str) -> tuple[int, bool] | None:
    """Key of the user of that name, and whether the account is active; None where there is none."""
    return User.objects.filter(username=username).values_list("pk", "is_active").first()


def user_on_first_sight(username: str) -> tuple[int, bool]:
    """The user of that name, created where there is none. There is no password: the provider is the only way in.

    Two requests at once make one user: who comes second finds the first one's.
    """
    unusable = {"password": make_password(None)}
    user, _ = User.objects.get_or_create(username=username, defaults=unusable)
    return user.pk, user.is_active
