"""`/chat/conversations`."""

from __future__ import annotations

import msgspec
from django.http import HttpResponse, HttpResponseBase

from conversations import database, identifiers
from conversations.api.identity import identify
from conversations.api.requests import ChatRequest
from conversations.models import Conversation


class Anything(msgspec.Struct):
    """A body whose fields mean nothing."""


async def create(request: ChatRequest) -> HttpResponseBase:
    """A new, empty conversation, under an id that cannot be guessed."""
    caller = await identify(request)
    await request.json(Anything, empty_is_object=True)
    public_id = identifiers.conversation_id()
    await database.write(Conversation.objects.create, public_id=public_id, owner_id=caller.owner_id)
    return HttpResponse(msgspec.json.encode({"conversation_id": public_id}), content_type="application/json")
