"""From a request for a reply to its generation: what all routes that produce a reply have in common."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpResponseBase

from conversations import database, identifiers
from conversations.api import limits
from conversations.api.bodies import body_hash, idempotency_key
from conversations.api.errors import ApiError, from_refusal
from conversations.api.identity import Caller, identify
from conversations.api.requests import ChatRequest
from conversations.api.sse import Encoder
from conversations.api.viewing import EventStream, Viewer
from conversations.generations import engine
from conversations.generations.buffer import Buffer, Ending
from conversations.generations.generation import Generation
from conversations.models import Status
from conversations.refusals import Busy, TurnRefused, WrongMessage
from conversations.store import begin as beginnings
from conversations.store import reading
from conversations.store.begin import Begun
from conversations.turns import Claim, Turn
from providers import registry
from providers.base import Provider
from providers.messages import CompletionRequest

ANSWER_WITHIN = 15.0
"""Seconds a stream that has to wait for another reply may stay silent before it answers 200 and heartbeats follow."""


async def caller_of(request: ChatRequest) -> Caller:
    """Who asks. Raises 503 before 401, as the wire orders it."""
    engine.refuse_overload()
    return await identify(request)


def claim_of(request: ChatRequest, caller: Caller, route: str, conversation_id: str | None) -> Claim | None:
    """The `Idempotency-Key` of a stored turn, if it has one."""
    key = idempotency_key(request.headers.get("Idempotency-Key"))
    if key is None:
        return None
    if caller.owner_id is not None:
        scope = f"owner:{caller.owner_id}"
    else:
        scope = f"conversation:{conversation_id}" if conversation_id else f"address:{caller.address}"
    return Claim(scope, key, route, body_hash(request.body))


class Reply:
    """A stored reply as one request sees it: begun now, or begun by an earlier request with the same key."""

    def __init__(self, begun: Begun, buffer: Buffer, leave: Callable[[], None], headers: Mapping[str, str]) -> None:
        self.begun = begun
        self.buffer = buffer
        self.leave = leave
        self.headers = {
            **headers,
            "X-Conversation-ID": begun.conversation_id,
            "X-Message-ID": begun.message_id,
        }


async def begin(request: ChatRequest, caller: Caller, turn: Turn) -> tuple[Reply, Generation | None]:
    """Begin the turn, or find the one that its key stands for. Raises `ApiError`, `TurnRefused`, `DatabaseError`."""
    request.watch()
    if turn.claim is not None and (before := await database.read(beginnings.replay, turn)) is not None:
        allowance = await limits.peek(caller)
        return await _joined(caller, before, allowance.headers), None
    allowance = await _spend(caller, turn)
    try:
        generation = await engine.begin(turn, CompletionRequest(messages=(), model=""), _answering)
    except TurnRefused as refusal:
        if not isinstance(refusal, Busy | WrongMessage):  # those are judged after the limit, all others before it
            await limits.refund(caller)
        raise from_refusal(refusal, allowance.headers) from None
    except DatabaseError:
        await limits.refund(caller)
        raise
    begun = generation.begun.result()
    assert begun is not None
    if not begun.fresh:
        generation.viewer_left()
        return await _joined(caller, begun, allowance.headers), None
    return Reply(begun, generation.buffer, generation.viewer_left, allowance.headers), generation


def _answering(provider: str) -> Provider:
    return registry.answering(provider or None)


async def _spend(caller: Caller, turn: Turn) -> limits.Allowance:
    """Count the request. One that would be refused anyway hears why first, and is not counted."""
    try:
        return await limits.spend(caller)
    except ApiError:
        await database.read(beginnings.refusal, turn)
        raise


async def _joined(caller: Caller, begun: Begun, headers: Mapping[str, str]) -> Reply:
    message = await database.read(reading.message_of, caller.owner_id, begun.message_id)
    buffer, leave = await engine.buffer_of(message)
    return Reply(begun, buffer, leave, headers)


async def streamed(
    request: ChatRequest, reply: Reply, generation: Generation | None, provider: str
) -> HttpResponseBase:
    """Answer with the reply's stream, from its start; errors before the first delta are real statuses."""
    begun = reply.begun
    waiting = generation is not None and not begun.running
    try:
        ending = await first_delta(reply.buffer, ANSWER_WITHIN if waiting else None)
        if (
            ending is not None
            and ending.status not in (Status.COMPLETE, Status.CANCELLED)
            and not reply.buffer.position
        ):
            raise failure(ending, reply.headers)
    except BaseException:
        reply.leave()
        raise
    if generation is not None:
        generation.answered = True
    encoder = Encoder(identifiers.chunk_id(begun.provider or provider, begun.message_id), with_ids=True)
    viewer = Viewer(reply.buffer, encoder, opening_pause=opening_pause(request))
    return EventStream(viewer, reply.leave, reply.headers)


async def first_delta(buffer: Buffer, within: float | None) -> Ending | None:
    """Wait for text or the end; the ending where there is one already."""
    try:
        async with asyncio.timeout(within):
            while not buffer.position and buffer.ending is None:
                await buffer.changed(0)
    except TimeoutError:
        return None
    return buffer.ending


def failure(ending: Ending, headers: Mapping[str, str]) -> ApiError:
    """The error that a reply's end is, for a client that has got nothing of it."""
    retry = {"Retry-After": "1"} if ending.code == 503 else {}
    return ApiError(ending.code, ending.error or "The reply ended before it began.", headers={**headers, **retry})


def opening_pause(request: ChatRequest) -> float | None:
    """Seconds to let pass between the opening of a stream and its first text, for clients that would lose it."""
    agent = request.META.get("HTTP_USER_AGENT", "")
    return settings.NATIVE_CLIENT_DELAY if any(name in agent for name in settings.NATIVE_CLIENTS) else None
