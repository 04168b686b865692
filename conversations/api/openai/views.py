"""`POST /v1/chat/completions` and `GET /v1/models`."""

from __future__ import annotations

from typing import Any

import msgspec
from django.http import HttpResponse, HttpResponseBase

from conversations.api import turning
from conversations.api.bodies import checked_conversation_id
from conversations.api.errors import ApiError
from conversations.api.identity import Caller, identify
from conversations.api.openai.chunks import ChunkEncoder, completion
from conversations.api.openai.parameters import ChatParameters, decode_object, model_of, parameters
from conversations.api.requests import ChatRequest
from conversations.api.turning import Reply
from conversations.identifiers import chunk_id
from conversations.turns import Turn
from providers import registry

STREAM_ROUTE = "v1-stream"
ROUTE = "v1"


async def chat_completions(request: ChatRequest) -> HttpResponseBase:
    """Answer as OpenAI does, with the model's provider; with `X-Conversation-ID` the turn is stored."""
    caller = await turning.caller_of(request)
    await request.load_json()
    try:
        body = decode_object(request.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise ApiError(400, "The body is not a JSON object.") from None
    provider = provider_of(model_of(body))
    asked = parameters(body, registry.config(provider).vendor)
    reply = await _begin(request, caller, provider, asked)
    completion_id = chunk_id("chatcmpl", reply.message_id)
    if not asked.stream:
        return await _whole(reply, completion_id)
    encoder = ChunkEncoder(completion_id, include_usage=asked.include_usage)
    return await turning.streamed(request, reply, encoder)


def provider_of(model: str) -> str:
    """The provider whose default or fallback model this is. Raises `ApiError` 404."""
    for name in registry.names():
        config = registry.config(name)
        if config.usable and model in config.models:
            return name
    raise ApiError(404, f"The model {model[:200]!r} does not exist here.", param="model", code="model_not_found")


async def _begin(request: ChatRequest, caller: Caller, provider: str, asked: ChatParameters) -> Reply:
    source = registry.plain(provider, asked.model)
    conversation_id = checked_conversation_id(request.headers.get("X-Conversation-ID"))
    claim = turning.claim_of(request, caller, STREAM_ROUTE if asked.stream else ROUTE, conversation_id)
    if conversation_id is None:
        return await turning.begin_unstored(request, caller, asked.request, source)
    turn = Turn(
        owner_id=caller.owner_id,
        conversation_id=conversation_id,
        messages=asked.messages,
        provider=provider,
        instructions=asked.instructions,
        claim=claim,
        request_id=request.request_id,
    )
    return await turning.begin(request, caller, turn, asked.request, lambda _: source)


async def _whole(reply: Reply, completion_id: str) -> HttpResponseBase:
    ending = await reply.ended()
    body = completion(completion_id, reply.buffer.model, reply.buffer.text, ending)
    return HttpResponse(body, content_type="application/json", headers=reply.headers)


async def models(request: ChatRequest) -> HttpResponseBase:
    """The default and fallback models of every provider that answers."""
    await identify(request)
    found = {model: name for name in registry.names() for model in _models_of(name)}
    body = {"object": "list", "data": [_model(model, name) for model, name in found.items()]}
    return HttpResponse(msgspec.json.encode(body), content_type="application/json")


async def model(request: ChatRequest, model: str) -> HttpResponseBase:
    await identify(request)
    return HttpResponse(msgspec.json.encode(_model(model, provider_of(model))), content_type="application/json")


def _models_of(name: str) -> tuple[str, ...]:
    config = registry.config(name)
    return config.models if config.usable else ()


def _model(model: str, provider: str) -> dict[str, Any]:
    return {"id": model, "object": "model", "created": 0, "owned_by": registry.config(provider).vendor}
