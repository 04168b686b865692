"""The people's view of what is stored: to look after it, not to rewrite it.

What conversations say is shown only with the permission `conversations.view_contents`. Without it the public ids are
cut short too, as in open mode whoever knows one may read.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join, linebreaks
from django.utils.safestring import SafeString, mark_safe
from knox import admin as knox_admin
from knox.models import AuthToken

from conversations.lists import BoundedAdmin, ContentsAdmin, ReadOnlyAdmin, ReadOnlyInline, may_read, shortened
from conversations.models import Attempt, Conversation, DailyUsage, Message, Status, User

TRANSCRIPT_LENGTH = 200
EXCERPT_LENGTH = 100


class LastStatusFilter(admin.SimpleListFilter):
    """Offers the known values; Django's own filter would read all rows to find them."""

    title = "status of the last reply"
    parameter_name = "last_status"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [(str(value), str(label)) for value, label in Status.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Conversation]) -> QuerySet[Conversation]:
        return queryset.filter(last_status=self.value()) if self.value() else queryset


@admin.register(Conversation)
class ConversationAdmin(ContentsAdmin):
    """Nothing can be changed but the title and whether it is archived."""

    contents = ("title", "opening", "instructions", "metadata", "transcript")
    list_display = ("public_id", "title", "owner", "last_activity_at", "message_count", "last_status", "archived")
    list_filter = ("archived", LastStatusFilter, "last_activity_at")
    list_select_related = ("owner",)
    ordering = ("-last_activity_at", "-id")
    fields = (
        *("public_id", "owner", "title", "opening", "archived", "created_at", "last_activity_at", "message_count"),
        *("input_tokens", "output_tokens", "last_provider", "last_model", "last_status"),
        *("instructions", "metadata", "all_messages", "transcript"),
    )
    readonly_fields = tuple(name for name in fields if name not in ("title", "archived"))

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return admin.ModelAdmin.has_change_permission(self, request, obj)

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return ("title", "public_id") if may_read(request) else ("public_id__exact",)

    def save_model(self, request: HttpRequest, obj: Conversation, form: ModelForm[Conversation], change: bool) -> None:
        """Only what was changed: the rest of the row may have moved on since the page was opened."""
        if "title" in form.changed_data:
            obj.title = obj.title or obj.opening
        obj.save(update_fields=form.changed_data)

    @admin.display(description="messages")
    def all_messages(self, row: Conversation) -> SafeString:
        url = reverse("admin:conversations_message_changelist", query={"conversation__id__exact": row.pk})
        return format_html('<a href="{}">{} messages, all branches</a>', url, row.message_count)

    @admin.display(description=f"transcript (the newest {TRANSCRIPT_LENGTH})")
    def transcript(self, row: Conversation) -> SafeString:
        newest = row.messages.filter(active=True).order_by("-id")[:TRANSCRIPT_LENGTH]
        spoken = ((_caption(message), _paragraphs(message.content)) for message in reversed(newest))
        return format_html_join("", "<section><strong>{}</strong>{}</section>", spoken)


def _caption(message: Message) -> str:
    parts = [message.role, f"{message.created_at:%Y-%m-%d %H:%M:%S} UTC", message.model]
    if message.status != Status.COMPLETE:
        parts.append(message.status)
    return " · ".join(filter(None, parts))


def _paragraphs(text: str) -> SafeString:
    return mark_safe(linebreaks(text, autoescape=True))  # noqa: S308  (it has just been escaped)


class AttemptInline(ReadOnlyInline):
    model = Attempt
    fields = ("provider", "model", "outcome", "http_status", "error", "duration_ms", "created_at")


@admin.register(Message)
class MessageAdmin(ContentsAdmin):
    contents = ("content", "excerpt", "feedback_comment", "metadata")
    list_display = ("public_id", "in_conversation", "role", "status", "model", "created_at", "excerpt")
    list_filter = ("role", "status")
    list_select_related = ("conversation",)
    ordering = ("-id",)
    search_fields = ("public_id__exact",)
    inlines = (AttemptInline,)
    fields = (
        *("public_id", "in_conversation", "answers", "active", "role", "status", "content", "error", "created_at"),
        *("requested_provider", "provider", "model", "finish_reason", "input_tokens", "output_tokens"),
        *("usage_estimated", "time_to_first_token_ms", "duration_ms", "request_id"),
        *("feedback_rating", "feedback_comment", "metadata"),
    )
    readonly_fields = fields

    @admin.display(description="conversation")
    def in_conversation(self, row: Message) -> SafeString:
        url = reverse("admin:conversations_conversation_change", args=[row.conversation_id])
        return format_html('<a href="{}">{}</a>', url, shortened(row.conversation.public_id))

    @admin.display(description="answers")
    def answers(self, row: Message) -> str | SafeString:
        if row.parent_id is None:
            return "-"
        url = reverse("admin:conversations_message_change", args=[row.parent_id])
        return format_html('<a href="{}">the message before</a>', url)

    @admin.display(description="content")
    def excerpt(self, row: Message) -> str:
        return row.content[:EXCERPT_LENGTH]


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    list_display = ("id", "of_message", "provider", "model", "outcome", "http_status", "duration_ms", "created_at")
    list_select_related = ("message",)
    ordering = ("-id",)
    fields = ("of_message", "provider", "model", "outcome", "http_status", "error", "duration_ms", "created_at")
    readonly_fields = fields

    @admin.display(description="message")
    def of_message(self, row: Attempt) -> SafeString:
        url = reverse("admin:conversations_message_change", args=[row.message_id])
        return format_html('<a href="{}">{}</a>', url, shortened(row.message.public_id))


@admin.register(DailyUsage)
class DailyUsageAdmin(ReadOnlyAdmin):
    list_display = (
        *("day", "owner_id", "provider", "model", "requests", "input_tokens", "output_tokens", "errors", "fallbacks"),
    )
    list_filter = ("day", "provider")
    ordering = ("-day", "owner_id", "provider", "model")


@admin.register(User)
class UserAdmin(BoundedAdmin, DjangoUserAdmin):  # type: ignore[type-arg]
    """Whoever leaves is deactivated: to delete an account would take its conversations along."""

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


# What knox registers (it was imported above) can be added to, and shows a new token on a page.
admin.site.unregister(knox_admin.models.AuthToken)


@admin.register(AuthToken)
class TokenAdmin(ReadOnlyAdmin):
    """To delete a token is to revoke it. They are made by `manage.py create_token`."""

    list_display = ("begins_with", "user", "created", "expiry")
    list_select_related = ("user",)
    ordering = ("-created",)
    search_fields = ("user__username",)
    fields = ("begins_with", "user", "created", "expiry")
    readonly_fields = fields

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    @admin.display(description="token")
    def begins_with(self, row: Any) -> str:
        return shortened(row.token_key)
