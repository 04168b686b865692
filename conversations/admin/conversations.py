"""The list of conversations, and the page on which one is read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE
from django.contrib.admin.options import ModelAdmin
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.views import ChangeList

from conversations import formats
from conversations.admin import erasing, exporting, filters, reading
from conversations.admin.actions import ConversationActions
from conversations.admin.lists import BoundedList, ContentsAdmin, log, may_read, shortened, unbroken
from conversations.admin.searching import found_by
from conversations.models import Conversation
from conversations.store.indexing import index_title
from conversations.store.spending import models_used

MODELS_NAMED = 2


class ConversationList(BoundedList):
    """Reads what is in the columns, and in one query more which models answered in the rows of the page."""

    def get_queryset(self, *args: Any, **kwargs: Any) -> QuerySet[Conversation]:
        return super().get_queryset(*args, **kwargs).defer("instructions", "metadata")

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows: list[Any] = list(self.result_list)
        used = models_used([row.pk for row in rows])
        for row in rows:
            row.used = used[row.pk]
        self.result_list: Any = rows


@admin.register(Conversation)
class ConversationAdmin(ConversationActions, ContentsAdmin):
    """Nothing can be changed but the title and whether it is archived."""

    contents = ("title", "opening", "instructions", "metadata", "heading")
    list_display = (
        *("public_id", "heading", "owner", "models", "count", "tokens", "cost"),
        *("activity", "status"),
    )
    list_filter = (
        ("last_activity_at", filters.MomentFilter),
        filters.LastStatusFilter,
        filters.ProviderUsedFilter,
        filters.ModelUsedFilter,
        filters.OwnerFilter,
        filters.ArchivedFilter,
    )
    list_filter_submit = True
    list_select_related = ("owner",)
    ordering = ("-last_activity_at", "-id")
    search_fields = ("title",)
    fields = ("title", "archived")
    change_form_template = "admin/conversations/conversation.html"

    # -- the list ---------------------------------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ConversationList

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> tuple[str, ...]:
        return ("heading",) if may_read(request) else ("short_id",)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Whoever may read knows a conversation by its title, and others by the beginning of its id."""
        return [name for name in super().get_list_display(request) if name != "public_id"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Conversation], search_term: str
    ) -> tuple[QuerySet[Conversation], bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        found = found_by(text, contents=may_read(request))
        if found.note:
            messages.info(request, found.note)
        return queryset.filter(pk__in=found.keys), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        found_in = "Titles, what was said, or a whole id" if may_read(request) else "A whole id"
        self.search_help_text = found_in
        return super().changelist_view(request, extra_context)

    @admin.display(description="title", ordering="title")
    def heading(self, row: Conversation) -> SafeString:
        archived = format_html(' <span class="dx-tag">{}</span>', "archived") if row.archived else ""
        heading = '<span class="dx-heading" title="{}">{}</span>{}'
        return format_html(heading, row.public_id, row.title or "(no title)", archived)

    @admin.display(description="messages", ordering="message_count")
    def count(self, row: Conversation) -> int:
        return row.message_count

    @admin.display(description="last activity", ordering="last_activity_at")
    def activity(self, row: Conversation) -> SafeString:
        return unbroken(formats.moment(row.last_activity_at))

    @admin.display(description="models, providers")
    def models(self, row: Any) -> str | SafeString:
        if not row.used:
            return "–"
        names = ", ".join(used.model for used in row.used[:MODELS_NAMED])
        more = f" +{len(row.used) - MODELS_NAMED}" if len(row.used) > MODELS_NAMED else ""
        whole = "\n".join(f"{used.provider} · {used.model}: {used.replies} replies" for used in row.used)
        providers = ", ".join(dict.fromkeys(used.provider for used in row.used))
        cell = '<span class="dx-models" title="{}">{}{}</span><small class="dx-under">{}</small>'
        return format_html(cell, whole, names, more, providers)

    @admin.display(description="tokens", ordering="output_tokens")
    def tokens(self, row: Conversation) -> str:
        return formats.compact(row.input_tokens + row.output_tokens)

    @admin.display(description="cost")
    def cost(self, row: Any) -> SafeString:
        return unbroken(formats.dollars_of(used.cost for used in row.used) if row.used else "–")

    @display(description="last reply", label=formats.STATUS_COLOURS)
    def status(self, row: Conversation) -> str | None:
        return row.last_status or None

    # -- one of them ------------------------------------------------------------------------------------------------

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return ModelAdmin.has_change_permission(self, request, obj)

    def get_urls(self) -> list[URLPattern]:
        pages = {"live": reading.live, "export": exporting.export, "erase": erasing.erase_one}
        own = [
            path(
                f"<int:key>/{name}/",
                self.admin_site.admin_view(view),
                {"model_admin": self},
                name=f"conversations_conversation_{name}",
            )
            for name, view in pages.items()
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        context = reading.context(self, request, object_id) if self.has_view_permission(request) else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    def save_model(self, request: HttpRequest, obj: Conversation, form: ModelForm[Conversation], change: bool) -> None:
        """Only what was changed: the rest of the row may have moved on since the page was opened."""
        with transaction.atomic():
            if "title" in form.changed_data:
                obj.title = obj.title or obj.opening
                index_title(obj.pk, obj.title, obj.opening)
            obj.save(update_fields=form.changed_data)

    def response_post_save_change(self, request: HttpRequest, obj: Conversation) -> HttpResponseRedirect:
        """Stay where one reads."""
        return HttpResponseRedirect(reverse("admin:conversations_conversation_change", args=[obj.pk]))

    def log_change(self, request: HttpRequest, obj: Conversation, message: Any) -> None:
        log(request, obj, shortened(obj.public_id), CHANGE, message)
