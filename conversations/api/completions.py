"""`POST /chat/completions` and `POST /conversation/message`: a whole reply in one JSON answer."""

from __future__ import annotations

import msgspec
from django.http import HttpResponse, HttpResponseBase

from conversations.api import turning
from conversations.api.bodies import CompletionBody, checked_conversation_id, checked_text
from conversations.api.chat import checked_provider
from conversations.api.errors import ApiError
from conversations.api.requests import ChatRequest
from conversations.api.turning import Reply
from conversations.generations.buffer import Ending
from conversations.models import Status
from conversations.turns import Turn
from providers.messages import Message

ROUTE = "completions"


async def complete(request: ChatRequest) -> HttpResponseBase:
    """The reply to one message; the conversation is made where there is none."""
    caller = await turning.caller_of(request)
    body = await request.json(CompletionBody)
    text = checked_text(body.message, "message")
    provider = None if body.provider is None else checked_provider(body.provider)
    conversation_id = checked_conversation_id(body.conversation_id)
    turn = Turn(
        owner_id=caller.owner_id,
        conversation_id=conversation_id,
        messages=[Message("user", text)],
        provider=provider,
        parent_id=body.parent,
        on_busy=body.on_busy,
        on_disconnect=body.on_disconnect or "continue",
        claim=turning.claim_of(request, caller, ROUTE, conversation_id),
        request_id=request.request_id,
    )
    reply, _ = await turning.begin(request, caller, turn)
    try:
        ending = await reply.buffer.ended()
    finally:
        reply.leave()
    return _answer(reply, ending)


def _answer(reply: Reply, ending: Ending) -> HttpResponseBase:
    text = reply.buffer.text
    if ending.status == Status.CANCELLED and not text:
        raise ApiError(409, "The reply was cancelled before it began.", headers=reply.headers)
    if ending.status not in (Status.COMPLETE, Status.CANCELLED):
        raise turning.failure(ending, reply.headers)
    begun = reply.begun
    body = {"message": text, "messageId": begun.message_id, "conversation_id": begun.conversation_id}
    return HttpResponse(msgspec.json.encode(body), content_type="application/json", headers=reply.headers)
