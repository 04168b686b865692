"""Messages one by one, whatever branch they are on, and the attempts made for them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Left
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.views import ChangeList

from conversations import formats
from conversations.admin import filters
from conversations.admin.lists import (
    BoundedList,
    ContentsAdmin,
    ReadOnlyAdmin,
    ReadOnlyInline,
    may_read,
    shortened,
    unbroken,
)
from conversations.admin.markdown import render
from conversations.models import Attempt, Message

EXCERPT_LENGTH = 100


class MessageList(BoundedList):
    """Reads the beginnings of texts, and of nothing else that may be long."""

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> QuerySet[Message]:
        long_ones = ("content", "error", "feedback_comment", "metadata")
        of_conversations = ("conversation__instructions", "conversation__metadata")
        rows = super().get_queryset(request, *args, **kwargs).defer(*long_ones, *of_conversations)
        return rows.annotate(beginning=Left("content", EXCERPT_LENGTH)) if may_read(request) else rows


class AttemptInline(ReadOnlyInline):
    model = Attempt
    fields = ("provider", "model", "outcome", "http_status", "error", "duration_ms", "created_at")
    tab = False


@admin.register(Message)
class MessageAdmin(ContentsAdmin):
    contents = ("content", "rendered", "excerpt", "feedback_comment", "metadata")
    list_display = ("excerpt", "role", "how", "answered_by", "in_conversation", "at", "short_id")
    list_filter = (
        filters.RoleFilter,
        filters.MessageStatusFilter,
        filters.FeedbackFilter,
    )
    list_filter_submit = True
    list_select_related = ("conversation",)
    ordering = ("-id",)
    search_fields = ("public_id__exact",)
    search_help_text = "A whole id"
    inlines = (AttemptInline,)
    fields = (
        *("public_id", "in_conversation", "answers", "active", "role", "status", "rendered", "error", "created_at"),
        *("requested_provider", "provider", "model", "finish_reason", "input_tokens", "output_tokens"),
        *("usage_estimated", "time_to_first_token_ms", "duration_ms", "request_id"),
        *("feedback_rating", "feedback_comment", "metadata"),
    )
    readonly_fields = fields

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return MessageList

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> tuple[str, ...]:
        return ("excerpt",) if may_read(request) else ("short_id",)

    @admin.display(description="conversation")
    def in_conversation(self, row: Message) -> SafeString:
        url = reverse("admin:conversations_conversation_change", args=[row.conversation_id], query={"at": row.pk})
        link = '<a class="dx-unbroken" href="{}#m-{}">{}</a>'
        return format_html(link, url, row.pk, shortened(row.conversation.public_id))

    @admin.display(description="answers")
    def answers(self, row: Message) -> str | SafeString:
        if row.parent_id is None:
            return "-"
        url = reverse("admin:conversations_message_change", args=[row.parent_id])
        return format_html('<a href="{}">the message before</a>', url)

    @admin.display(description="content")
    def rendered(self, row: Message) -> SafeString:
        return format_html('<div class="dx-text">{}</div>', render(row.content))

    @admin.display(description="content")
    def excerpt(self, row: Any) -> SafeString:
        return format_html('<span class="dx-excerpt">{}</span>', row.beginning or "(no text)")

    @admin.display(description="model")
    def answered_by(self, row: Message) -> SafeString:
        return unbroken(row.model or "–")

    @admin.display(description="created at")
    def at(self, row: Message) -> SafeString:
        return unbroken(formats.moment(row.created_at))

    @display(description="status", label=formats.STATUS_COLOURS)
    def how(self, row: Message) -> str:
        return row.status


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    list_display = ("id", "of_message", "provider", "model", "result", "http_status", "took", "at")
    list_select_related = ("message",)
    ordering = ("-id",)
    fields = ("of_message", "provider", "model", "outcome", "http_status", "error", "duration_ms", "created_at")
    readonly_fields = fields

    @admin.display(description="message")
    def of_message(self, row: Attempt) -> SafeString:
        url = reverse("admin:conversations_message_change", args=[row.message_id])
        return format_html('<a class="dx-unbroken" href="{}">{}</a>', url, shortened(row.message.public_id))

    @display(description="outcome", label={"complete": "success"})
    def result(self, row: Attempt) -> str:
        return row.outcome

    @admin.display(description="created at")
    def at(self, row: Attempt) -> SafeString:
        return unbroken(formats.moment(row.created_at))

    @admin.display(description="time")
    def took(self, row: Attempt) -> str:
        return formats.milliseconds(row.duration_ms)
