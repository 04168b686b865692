"""The tokens of programs: to be seen in part, and to be revoked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import DELETION
from django.contrib.admin.utils import unquote
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
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
    change_form_template = "admin/conversations/token.html"

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    def get_search_fields(self, request: HttpRequest) -> Sequence[str]:
        return ("user__username__istartswith",)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Not Django's own, which would delete without saying what that means."""
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """Under another name than its own, for the same reason."""
        token = self.get_object(request, unquote(object_id)) if self.has_view_permission(request) else None
        told = {"original": Named(token), "title": _name(token), "subtitle": None} if token is not None else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **told})

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: Any) -> HttpResponseRedirect:
        self._tell(request, 1)
        return HttpResponseRedirect(reverse("admin:knox_authtoken_changelist"))

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Any]) -> None:
        """Not under their own names, which are what is stored to recognise them by."""
        for token in queryset:
            log(request, token, _name(token), DELETION)

    @admin.action(description="Revoke: programs that use them are refused from now on", permissions=["delete"])
    def revoke(self, request: HttpRequest, tokens: QuerySet[Any]) -> None:
        chosen = list(tokens.select_related("user"))
        self.log_deletions(request, chosen)
        AuthToken.objects.filter(pk__in=[token.pk for token in chosen]).delete()
        self._tell(request, len(chosen))

    def _tell(self, request: HttpRequest, count: int) -> None:
        self.message_user(request, f"Revoked {count} token{'s' * (count != 1)}.", messages.SUCCESS)

    @admin.display(description="token")
    def begins_with(self, row: Any) -> str:
        return shortened(row.token_key)


class Named:
    """A token as far as the page's heading and its links ask for it."""

    def __init__(self, token: Any) -> None:
        self.pk, self._meta, self._name = token.pk, token._meta, _name(token)

    def __str__(self) -> str:
        return self._name


def _name(token: Any) -> str:
    return f"Token {shortened(token.token_key)} of {token.user}"
