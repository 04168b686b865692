"""`GET /chat/conversations`: the caller's own, newest activity first, by words where some are asked for."""

from __future__ import annotations

from typing import Any

import msgspec
from django.http import HttpResponseBase

from conversations import database
from conversations.api import cursors, etags
from conversations.api.errors import ApiError
from conversations.api.history import limit_of
from conversations.api.identity import identify
from conversations.api.requests import ChatRequest
from conversations.api.shapes import timestamp
from conversations.models import Conversation
from conversations.store import listing
from conversations.words import wanted

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
LONGEST_QUERY = 200


async def show_all(request: ChatRequest) -> HttpResponseBase:
    """A page of conversations and the cursor of the next one.

    A page of a search may be short, even empty, and yet have a `next_cursor`: there is more to look through.
    """
    caller = await identify(request)
    if caller.owner_id is None:
        raise ApiError(403, "There is no list of conversations here: this server knows nobody (AUTH_MODE=open).")
    limit = limit_of(request.GET.get("limit"), DEFAULT_LIMIT, MAX_LIMIT)
    page = await database.read(
        listing.page,
        caller.owner_id,
        limit,
        archived=_archived(request.GET.get("archived")),
        words=_words(request.GET.get("q", "")),
        after=cursors.decoded(request.GET.get("cursor")),
    )
    entries = [entry(conversation) for conversation in page.conversations]
    body = {"conversations": entries, "next_cursor": cursors.encoded(page.next)}
    return etags.answer(request, msgspec.json.encode(body))


def entry(conversation: Conversation) -> dict[str, Any]:
    """A conversation as the list has it."""
    return {
        "conversation_id": conversation.public_id,
        "title": conversation.title,
        "created_at": timestamp(conversation.created_at),
        "updated_at": timestamp(conversation.last_activity_at),
        "archived": conversation.archived,
        "status": conversation.last_status or None,
    }


def _archived(given: str | None) -> bool:
    if given not in (None, "true", "false"):
        raise ApiError(400, "archived must be true or false.")
    return given == "true"


def _words(query: str) -> list[str] | None:
    """The words to look for; None where there is no query. One that has no words finds nothing."""
    if len(query) > LONGEST_QUERY:
        raise ApiError(400, f"q is too long: at most {LONGEST_QUERY} characters are allowed.")
    return wanted(query) if query and not query.isspace() else None
