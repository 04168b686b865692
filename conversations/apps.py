from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin import apps as admin


class ConversationsConfig(AppConfig):
    name = "conversations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from conversations import checks  # noqa: F401, PLC0415  (registers itself)


class AdminSiteConfig(admin.AdminConfig):
    """Django's admin, on a site of ours."""

    default = False
    default_site = "conversations.adminsite.Site"
