"""`POST /chat/{provider}`: the streaming contract."""

from __future__ import annotations

from django.http import HttpResponseBase

from conversations import identifiers
from conversations.api import limits, turning
from conversations.api.bodies import ChatBody, checked_conversation_id, checked_messages
from conversations.api.errors import ApiError, from_refusal
from conversations.api.identity import Caller
from conversations.api.requests import ChatRequest
from conversations.api.sse import Encoder
from conversations.api.viewing import EventStream, Viewer
from conversations.generations import engine
from conversations.models import Status
from conversations.refusals import Unavailable
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
        return await _unstored(request, caller, provider, messages, instructions or "")
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
    reply, generation = await turning.begin(request, caller, turn)
    return await turning.streamed(request, reply, generation, provider)


async def _unstored(
    request: ChatRequest, caller: Caller, provider: str, messages: list[Message], instructions: str
) -> HttpResponseBase:
    """A reply that ends with its client: nobody could read it later."""
    if not messages:
        raise ApiError(400, "Only system messages: there is nothing to answer. Add a user's message.")
    request.watch()
    allowance = await limits.spend(caller)
    asked = CompletionRequest(messages=messages, model="", instructions=instructions)
    try:
        generation = await engine.begin_unstored(asked, registry.answering(provider), caller.owner_id)
    except Unavailable as refusal:
        raise from_refusal(refusal, allowance.headers) from None
    try:
        ending = await turning.first_delta(generation.buffer, None)
        if ending is not None and ending.status != Status.COMPLETE and not generation.buffer.position:
            raise turning.failure(ending, allowance.headers)
    except BaseException:
        generation.viewer_left()
        raise
    encoder = Encoder(f"{provider}-{identifiers.digits()}", with_ids=False)
    viewer = Viewer(generation.buffer, encoder, opening_pause=turning.opening_pause(request))
    return EventStream(viewer, generation.viewer_left, allowance.headers)
