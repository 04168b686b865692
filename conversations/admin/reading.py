"""One conversation, read: the context of its page, and the news that a page asks for while it is open."""

from __future__ import annotations

from typing import Any, Protocol

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from django.template.loader import render_to_string
from django.urls import reverse

from conversations import formats
from conversations.admin.lists import may_read, shortened
from conversations.admin.transcript import bubbles, key_of, keys_of, transcript
from conversations.models import Conversation
from conversations.store import transcripts
from conversations.store.spending import models_used

BUBBLE = "admin/conversations/bubble.html"
FACTS = "admin/conversations/facts.html"
STREAMING_WATCHED = 20
"""Replies under way on one page that are asked about."""


class Permissions(Protocol):
    def has_view_permission(self, request: HttpRequest) -> bool: ...


def conversation_for_reader(admin: Permissions, request: HttpRequest, key: int) -> Conversation:
    """Raises `PermissionDenied` for whoever may not read it, `Http404` where there is none."""
    if not (admin.has_view_permission(request) and may_read(request)):
        raise PermissionDenied
    conversation = Conversation.objects.select_related("owner").filter(pk=key).first()
    if conversation is None:
        raise Http404("This conversation does not exist.")
    return conversation


def context(admin: Any, request: HttpRequest, object_id: str) -> dict[str, Any]:
    """What the page shows besides the form; nothing that was said for whoever may not read it."""
    row = admin.get_object(request, object_id)
    if row is None:
        return {}
    told = _facts(request, row) | {
        "can_read": may_read(request),
        "can_erase": admin.has_erase_permission(request),
        # The heading of the page would otherwise be the title or the whole id.
        "subtitle": None,
        "title": str(row) if may_read(request) else f"Conversation {shortened(row.public_id)}",
    }
    return told | (_page(request, row) if may_read(request) else {})


def _facts(request: HttpRequest, conversation: Conversation) -> dict[str, Any]:
    """What stands beside what was said."""
    used = models_used([conversation.pk])[conversation.pk]
    query = {"conversation__id__exact": conversation.pk}
    return {
        "conversation": conversation,
        "can_view_messages": request.user.has_perm("conversations.view_message"),
        "used": used,
        "cost": formats.dollars_of(each.cost for each in used),
        "messages_url": reverse("admin:conversations_message_changelist", query=query),
    }


def _page(request: HttpRequest, conversation: Conversation) -> dict[str, Any]:
    page = transcript(conversation, request.GET)
    path = f"&path={page.leaf}" if page.leaf is not None else ""
    return {
        "bubbles": bubbles(page),
        "page": page,
        "highlighted": key_of(request.GET, "at"),
        "older_url": f"?before={page.messages[0].pk}{path}" if page.older and page.messages else "",
        "newer_url": f"?after={page.messages[-1].pk}{path}" if page.newer and page.messages else "",
        "path_query": path,
    }


def live(request: HttpRequest, key: int, model_admin: Permissions) -> JsonResponse:
    """The bubbles that are new after `last`, and those of `streaming`, as they now stand.

    moved: what is shown now does not go on from `last`: another branch was chosen
    facts: what stands beside them, where there is anything new
    """
    conversation = conversation_for_reader(model_admin, request, key)
    last, leaf = key_of(request.GET, "last"), key_of(request.GET, "path")
    watched = keys_of(request.GET, "streaming")[:STREAMING_WATCHED]
    page = transcripts.news(conversation.pk, last or 0, watched, leaf)
    shown = list(bubbles(page))
    gone = sorted(set(watched) - {each.message.pk for each in shown})
    facts = _facts(request, conversation) if shown or gone else {}
    return JsonResponse(
        {
            "bubbles": [
                {"key": each.message.pk, "html": render_to_string(BUBBLE, {"bubble": each, **facts}, request)}
                for each in shown
            ],
            "gone": gone,
            "moved": leaf is None and last is not None and not transcripts.still_shown(conversation.pk, last),
            "facts": render_to_string(FACTS, facts, request) if facts else "",
        }
    )
