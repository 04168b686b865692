"""The user model: Django's own for now, ours so that it can grow without a painful migration."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """Whoever signs in: owners of conversations, support staff, operators."""
