"""What can be done to the conversations that are chosen in the list."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from conversations.admin import erasing, exporting
from conversations.admin.lists import BoundedAdmin, may_read
from conversations.models import Conversation

ARCHIVED_AT_ONCE = 500

Chosen = QuerySet[Conversation]


class ConversationActions(BoundedAdmin):
    actions = ("export_json", "export_markdown", "archive", "unarchive", "erase_selected")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    def has_export_permission(self, request: HttpRequest) -> bool:
        return may_read(request)

    def has_erase_permission(self, request: HttpRequest) -> bool:
        """Not `has_delete_permission`: Django's own way would collect every row in memory first."""
        return request.user.has_perm("conversations.delete_conversation")

    @admin.action(description="Export as JSON", permissions=["export"])
    def export_json(self, request: HttpRequest, rows: Chosen) -> HttpResponseBase | None:
        return exporting.export_selected(self, request, rows, "json")

    @admin.action(description="Export as Markdown", permissions=["export"])
    def export_markdown(self, request: HttpRequest, rows: Chosen) -> HttpResponseBase | None:
        return exporting.export_selected(self, request, rows, "markdown")

    @admin.action(description="Archive", permissions=["change"])
    def archive(self, request: HttpRequest, rows: Chosen) -> None:
        self._set_archived(request, rows, True)

    @admin.action(description="Bring back from the archive", permissions=["change"])
    def unarchive(self, request: HttpRequest, rows: Chosen) -> None:
        self._set_archived(request, rows, False)

    @admin.action(description="Erase for good …", permissions=["erase"])
    def erase_selected(self, request: HttpRequest, rows: Chosen) -> HttpResponseBase | None:
        return erasing.erase_selected(self, request, rows)

    def _set_archived(self, request: HttpRequest, rows: Chosen, archived: bool) -> None:
        """In steps: everything that a filter leaves can be chosen, and no step is to keep writers waiting."""
        keys = list(rows.order_by().values_list("pk", flat=True))
        changed = 0
        for at in range(0, len(keys), ARCHIVED_AT_ONCE):
            step = Conversation.objects.filter(pk__in=keys[at : at + ARCHIVED_AT_ONCE])
            changed += step.exclude(archived=archived).update(archived=archived)
        done = "Archived" if archived else "Brought back"
        self.message_user(request, f"{done} {changed:,} conversation{'s' * (changed != 1)}.", messages.SUCCESS)
