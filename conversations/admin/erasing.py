"""Erasing conversations: a page that says what it does, and does it once that is confirmed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse

from conversations.admin.lists import log, may_read, shortened
from conversations.models import Conversation
from conversations.store import erasing

MOST_AT_ONCE = 100
TEMPLATE = "admin/conversations/erase.html"


def erase_one(request: HttpRequest, key: int, model_admin: Any) -> HttpResponseBase:
    """`GET` asks, `POST` erases."""
    if not (model_admin.has_view_permission(request) and model_admin.has_erase_permission(request)):
        raise PermissionDenied
    row = Conversation.objects.filter(pk=key).first()
    if row is None:
        raise Http404("This conversation does not exist.")
    if request.method != "POST":
        back = reverse("admin:conversations_conversation_change", args=[key])
        return _ask(request, model_admin, [row], back)
    _erase(request, model_admin, [row])
    return HttpResponseRedirect(reverse("admin:conversations_conversation_changelist"))


def erase_selected(model_admin: Any, request: HttpRequest, rows: QuerySet[Conversation]) -> HttpResponseBase | None:
    """The list's action: the same for several, once with the question and once with the answer."""
    chosen = list(rows.defer("instructions", "metadata")[: MOST_AT_ONCE + 1])
    if len(chosen) > MOST_AT_ONCE:
        text = f"At most {MOST_AT_ONCE} are erased at once here. `manage.py purge_conversations` takes more."
        model_admin.message_user(request, text, messages.ERROR)
        return None
    if request.POST.get("confirmed") != "yes":
        return _ask(request, model_admin, chosen, reverse("admin:conversations_conversation_changelist"))
    _erase(request, model_admin, chosen)
    return None


def _ask(request: HttpRequest, model_admin: Any, rows: Sequence[Conversation], back: str) -> TemplateResponse:
    names = [(row.pk, str(row) if may_read(request) else shortened(row.public_id), row.message_count) for row in rows]
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "title": "Erase for good?",
        "names": names,
        "message_count": sum(row.message_count for row in rows),
        "back": back,
        "selected": request.POST.get("action") == "erase_selected",
    }
    return TemplateResponse(request, TEMPLATE, context)


def _erase(request: HttpRequest, model_admin: Any, rows: Sequence[Conversation]) -> None:
    for row in rows:
        erasing.erase(row.pk)
        _forget(row)
        log(request, row, shortened(row.public_id), DELETION, "Erased.")
    count = len(rows)
    model_admin.message_user(request, f"Erased {count} conversation{'s' * (count != 1)} for good.", messages.SUCCESS)


def _forget(row: Conversation) -> None:
    """What the admin's own log says of it, titles perhaps."""
    of_conversations = ContentType.objects.get_for_model(Conversation)
    LogEntry.objects.filter(content_type=of_conversations, object_id=str(row.pk)).delete()
