"""`POST /chat/messages/{id}/activate`: another branch is shown."""

from __future__ import annotations

import msgspec
from django.http import HttpResponse, HttpResponseBase

from conversations import database
from conversations.api.conversations import Anything
from conversations.api.history import DEFAULT_LIMIT, entries
from conversations.api.identity import identify
from conversations.api.requests import ChatRequest
from conversations.generations import engine
from conversations.models import Conversation
from conversations.store import changing, histories
from conversations.store.histories import Page


async def activate(request: ChatRequest, message_id: str) -> HttpResponseBase:
    """Show this message's branch down to its newest leaf. Answers with the end of the history."""
    caller = await identify(request)
    await request.json(Anything, empty_is_object=True)
    conversation, page = await database.write(_activate, caller.owner_id, message_id)
    engine.changed(conversation.pk, caller.owner_id, conversation.public_id)
    return HttpResponse(msgspec.json.encode({"messages": entries(page)}), content_type="application/json")


def _activate(owner_id: int | None, message_id: str) -> tuple[Conversation, Page]:
    conversation = changing.activate(owner_id, message_id)
    return conversation, histories.page(owner_id, conversation.public_id, DEFAULT_LIMIT, None)
