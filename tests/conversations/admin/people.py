"""Those who look after conversations, and what they may."""

from __future__ import annotations

from django.contrib.auth.models import Permission
from django.test import Client

from conversations.models import Conversation, User

LIST = "/admin/conversations/conversation/"


def account(*permissions: str) -> User:
    user, _ = User.objects.get_or_create(username="staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


def staff(*permissions: str) -> Client:
    client = Client()
    client.force_login(account(*permissions))
    return client


def reader() -> Client:
    return staff("view_conversation", "view_contents")


def operator() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("operator"))
    return client


def page(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, (path, response.status_code)
    return response.content.decode()


def page_of(conversation: Conversation, query: str = "") -> str:
    return f"{LIST}{conversation.pk}/change/{query}"
