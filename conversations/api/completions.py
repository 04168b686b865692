"""`POST /chat/completions` and `POST /conversation/message`: a whole reply in one JSON answer."""

from __future__ import annotations

import msgspec
from django.http import HttpResponse, HttpResponseBase

from conversations.api import turning
from conversations.api.bodies import CompletionBody, checked_conversation_id, checked_text
from conversations.api.chat import checked_provider
from conversations.api.requests import ChatRequest
from conversations.turns import Turn
from providers.messages import Message

ROUTE = "completions"


async def complete(request: ChatRequest) -> HttpResponseBase:
    """The reply to one message; the conversation is made where there is none."""
    caller = await turning.caller_of(request)
    body = await request.json(CompletionBody)
    text = checked_text(body.message, "message")
    conversation_id = checked_conversation_id(body.conversation_id)
    turn = Turn(
        owner_id=caller.owner_id,
        conversation_id=conversation_id,
        messages=[Message("user", text)],
        provider=None if body.provider is None else checked_provider(body.provider),
        parent_id=body.parent,
        on_busy=body.on_busy,
        on_disconnect=body.on_disconnect or "continue",
        claim=turning.claim_of(request, caller, ROUTE, conversation_id),
        request_id=request.request_id,
    )
    reply = await turning.begin(request, caller, turn)
    await reply.ended()
    assert reply.begun is not None
    answer = {
        "message": reply.buffer.text,
        "messageId": reply.message_id,
        "conversation_id": reply.begun.conversation_id,
    }
    return HttpResponse(msgspec.json.encode(answer), content_type="application/json", headers=reply.headers)
