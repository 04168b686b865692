"""The tokens of programs: to be seen in part, and to be revoked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import DELETION
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from knox import admin as knox_admin
from knox.models import AuthToken

from conversations.admin.lists import ReadOnlyAdmin, log, shortened

# What knox registers (it was imported above) can be added to, and shows a new token on a page.
admin.site.unregister(knox_admin.models.AuthToken)


@admin.register(AuthToken)
class TokenAdmin(ReadOnlyAdmin):
    """To delete a token is to revoke it. They are made by `manage.py create_token`."""

    list_display = ("begins_with", "user", "created", "expiry")
    list_select_related = ("user",)
    ordering = ("-created",)
    search_fields = ("user__username",)
    search_help_text = "The beginning of a user's name"
    fields = ("begins_with", "user", "created", "expiry")
    readonly_fields = fields
    actions = ("revoke",)
    delete_confirmation_template = "admin/conversations/revoke.html"

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    def get_search_fields(self, request: HttpRequest) -> Sequence[str]:
        return ("user__username__istartswith",)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Not Django's own, which would delete without saying what that means."""
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Any]) -> None:
        """Not under their own names, which are what is stored to recognise them by."""
        for token in queryset:
            log(request, token, f"{shortened(token.token_key)} of {token.user}", DELETION)

    @admin.action(description="Revoke: programs that use them are refused from now on", permissions=["delete"])
    def revoke(self, request: HttpRequest, tokens: QuerySet[Any]) -> None:
        chosen = list(tokens.select_related("user"))
        self.log_deletions(request, chosen)
        AuthToken.objects.filter(pk__in=[token.pk for token in chosen]).delete()
        count = len(chosen)
        self.message_user(request, f"Revoked {count} token{'s' * (count != 1)}.", messages.SUCCESS)

    @admin.display(description="token")
    def begins_with(self, row: Any) -> str:
        return shortened(row.token_key)
