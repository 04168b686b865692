"""`POST /chat/{provider}`: the streaming contract."""

from __future__ import annotations

from django.http import HttpResponseBase

from conversations.api import turning
from conversations.api.bodies import ChatBody, checked_conversation_id, checked_messages
from conversations.api.errors import ApiError
from conversations.api.requests import ChatRequest
from conversations.api.sse import Encoder
from conversations.api.turning import Reply
from conversations.identifiers import chunk_id
from conversations.turns import Turn
from providers import registry
from providers.messages import CompletionRequest, Message


def checked_provider(provider: str) -> str:
    """Raises `ApiError` 400 for a name that is none of ours."""
    if provider not in registry.names():
        raise ApiError(400, f"Invalid provider. Choose one of: {', '.join(registry.names())}.")
    return provider


async def chat(request: ChatRequest, provider: str) -> HttpResponseBase:
    """Stream a reply; with `conversation_id` it is stored, and so are the new messages."""
    caller = await turning.caller_of(request)
    body = await request.json(ChatBody)
    checked_provider(provider)
    messages, instructions = checked_messages(body.messages)
    conversation_id = checked_conversation_id(body.conversation_id)
    claim = turning.claim_of(request, caller, f"chat/{provider}", conversation_id)
    if conversation_id is None:
        asked = CompletionRequest(messages=_answerable(messages), model="", instructions=instructions or "")
        reply = await turning.begin_unstored(request, caller, asked, registry.answering(provider))
        return await turning.streamed(request, reply, encoder_of(reply, provider))
    turn = Turn(
        owner_id=caller.owner_id,
        conversation_id=conversation_id,
        messages=messages,
        provider=provider,
        instructions=instructions,
        parent_id=body.parent,
        on_busy=body.on_busy,
        on_disconnect=body.on_disconnect or "continue",
        claim=claim,
        request_id=request.request_id,
    )
    reply = await turning.begin(request, caller, turn)
    return await turning.streamed(request, reply, encoder_of(reply, provider))


def encoder_of(reply: Reply, provider: str) -> Encoder:
    """Events in the streaming contract's shape, under one chunk id in every view of the reply."""
    stored = reply.begun is not None
    return Encoder(chunk_id(provider, reply.message_id), with_ids=stored)


def _answerable(messages: list[Message]) -> list[Message]:
    if not messages:
        raise ApiError(400, "Only system messages: there is nothing to answer. Add a user's message.")
    return messages
