"""From a request for a reply to its generation, and back to an answer: what all routes that produce one share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from django.conf import settings
from django.db import DatabaseError

from conversations import database, identifiers
from conversations.api import limits, places
from conversations.api.bodies import body_hash, idempotency_key
from conversations.api.errors import ApiError, from_refusal
from conversations.api.identity import Caller, identify
from conversations.api.requests import ChatRequest
from conversations.api.viewing import Encoder, EventStream, Viewer
from conversations.generations import engine
from conversations.generations.buffer import Buffer, Ending
from conversations.generations.generation import Generation
from conversations.models import Status
from conversations.refusals import Busy, TurnRefused, Unavailable, WrongMessage
from conversations.store import begin as beginnings
from conversations.store import reading
from conversations.store.begin import Begun
from conversations.turns import Claim, Turn
from providers import registry
from providers.base import Provider
from providers.messages import CompletionRequest

ANSWER_WITHIN = 15.0
"""Seconds a stream that has to wait for another reply may stay silent before it answers 200 and heartbeats follow."""

ENDED_WELL = (Status.COMPLETE, Status.CANCELLED)
SIMULATED = "X-Dialogix-Simulator"
"""Says that no model spoke."""

CONVERSATIONS_OWN = CompletionRequest(messages=(), model="")
"""Asks what the conversation holds, with the provider's defaults."""


class Reply:
    """A reply as one request sees it: begun now, or by an earlier request with the same key.

    begun:      its beginning in the database; None: it is not stored
    generation: None where it was begun before
    leave:      to be called when this request sees it no more
    """

    def __init__(
        self,
        begun: Begun | None,
        buffer: Buffer,
        leave: Callable[[], None],
        headers: Mapping[str, str],
        generation: Generation | None = None,
    ) -> None:
        self.begun = begun
        self.buffer = buffer
        self.leave = leave
        self.headers = {**headers, **({SIMULATED: "true"} if registry.is_simulated() else {})}
        self.generation = generation
        self.message_id = begun.message_id if begun else identifiers.message_id()
        if begun is not None:
            self.headers |= {"X-Conversation-ID": begun.conversation_id, "X-Message-ID": begun.message_id}

    @property
    def waits(self) -> bool:
        """Whether another reply of the conversation comes first."""
        return self.generation is not None and self.begun is not None and not self.begun.running

    async def ended(self) -> Ending:
        """The whole reply's end, waited for. Raises `ApiError` where there is nothing to answer with."""
        try:
            ending = await self.buffer.ended()
        finally:
            self.leave()
        if ending.status == Status.CANCELLED and not self.buffer.position:
            raise ApiError(409, "The reply was cancelled before it began.", headers=self.headers)
        if ending.status not in ENDED_WELL:
            raise failure(ending, self.headers)
        return ending


async def caller_of(request: ChatRequest) -> Caller:
    """Who asks. Raises 503 before 401, as the wire orders it."""
    engine.refuse_overload()
    return await identify(request)


def claim_of(request: ChatRequest, caller: Caller, route: str, conversation_id: str | None) -> Claim | None:
    """The `Idempotency-Key` of a stored turn, if it has one. Raises `ApiError` 400."""
    key = idempotency_key(request.headers.get("Idempotency-Key"))
    if key is None:
        return None
    if caller.owner_id is not None:
        scope = f"owner:{caller.owner_id}"
    else:
        scope = f"conversation:{conversation_id}" if conversation_id else f"address:{caller.address}"
    return Claim(scope, key, route, body_hash(request.body))


def defaults_of(provider: str) -> Provider:
    """Who answers for a provider's name with its defaults; "": any."""
    return registry.answering(provider or None)


async def begin(
    request: ChatRequest,
    caller: Caller,
    turn: Turn,
    asked: CompletionRequest = CONVERSATIONS_OWN,
    answering: Callable[[str], Provider] = defaults_of,
) -> Reply:
    """Begin the turn, or find the reply that its key stands for. Raises `ApiError`, `TurnRefused`, `DatabaseError`."""
    request.watch()
    if turn.claim is not None and (before := await database.read(beginnings.replay, turn)) is not None:
        return await _joined(caller, before, (await limits.peek(caller)).headers)
    leave = await places.take(caller)
    try:
        allowance = await _spend(caller, turn)
    except BaseException:
        leave()
        raise
    try:
        generation = await engine.begin(turn, asked, answering, leave)
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
        return await _joined(caller, begun, allowance.headers)
    return Reply(begun, generation.buffer, generation.viewer_left, allowance.headers, generation)


async def begin_unstored(request: ChatRequest, caller: Caller, asked: CompletionRequest, source: Provider) -> Reply:
    """Begin a reply that ends with its client: nobody could read it later. Raises `ApiError`."""
    request.watch()
    leave = await places.take(caller)
    try:
        allowance = await limits.spend(caller)
    except BaseException:
        leave()
        raise
    try:
        generation = engine.begin_unstored(asked, source, caller.owner_id, leave)
    except Unavailable as refusal:
        raise from_refusal(refusal, allowance.headers) from None
    return Reply(None, generation.buffer, generation.viewer_left, allowance.headers, generation)


async def streamed(request: ChatRequest, reply: Reply, encoder: Encoder) -> EventStream:
    """Answer with the reply's stream, from its start; errors before the first delta are real statuses."""
    try:
        ending = await _first_delta(reply.buffer, ANSWER_WITHIN if reply.waits else None)
        if ending is not None and ending.status not in ENDED_WELL and not reply.buffer.position:
            raise failure(ending, reply.headers)
    except BaseException:
        reply.leave()
        raise
    if reply.generation is not None:
        reply.generation.answered = True
    return EventStream(Viewer(reply.buffer, encoder, opening_pause=opening_pause(request)), reply.leave, reply.headers)


def failure(ending: Ending, headers: Mapping[str, str]) -> ApiError:
    """The error that a reply's end is, for a client that has got nothing of it."""
    retry = {"Retry-After": "1"} if ending.code == 503 else {}
    return ApiError(ending.code, ending.error or "The reply ended before it began.", headers={**headers, **retry})


def opening_pause(request: ChatRequest) -> float | None:
    """Seconds to let pass between the opening of a stream and its first text, for clients that would lose it."""
    agent = request.META.get("HTTP_USER_AGENT", "")
    return settings.NATIVE_CLIENT_DELAY if any(name in agent for name in settings.NATIVE_CLIENTS) else None


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


async def _first_delta(buffer: Buffer, within: float | None) -> Ending | None:
    """Wait for text or the end; the ending where there is one already."""
    try:
        async with asyncio.timeout(within):
            while not buffer.position and buffer.ending is None:
                await buffer.changed(0)
    except TimeoutError:
        return None
    return buffer.ending
