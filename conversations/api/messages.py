"""`/chat/messages/{id}` and what can be done to one message."""

from __future__ import annotations

import asyncio
import re

import msgspec
from django.http import HttpResponse, HttpResponseBase
from msgspec import UNSET

from conversations import database, identifiers
from conversations.api import etags, turning
from conversations.api.bodies import EditBody, RegenerateBody, checked_text
from conversations.api.chat import checked_provider, encoder_of
from conversations.api.errors import ApiError
from conversations.api.history import text_so_far
from conversations.api.identity import Caller, identify
from conversations.api.requests import ChatRequest
from conversations.api.shapes import message_object
from conversations.api.sse import Encoder
from conversations.api.turning import ANSWER_WITHIN
from conversations.api.viewing import EventStream, Viewer, nothing_follows
from conversations.generations import engine
from conversations.generations.buffer import Buffer
from conversations.models import Message
from conversations.store import histories, reading
from conversations.turns import Kind, Turn
from providers.messages import Message as Utterance

POSITION = re.compile(r"[0-9]{1,18}")


async def show(request: ChatRequest, message_id: str) -> HttpResponseBase:
    """The message as it now stands."""
    caller = await identify(request)
    return etags.answer(request, await _message_body(caller, message_id))


async def stream(request: ChatRequest, message_id: str) -> HttpResponseBase:
    """What comes after a position: from memory where the reply lives, else from the database."""
    caller = await identify(request)
    after = _position(request)
    message = await database.read(reading.message_of, caller.owner_id, message_id)
    if message.role == Message.Role.USER:
        return HttpResponse(status=204)
    request.watch()
    buffer, leave = await engine.buffer_of(message)
    try:
        await _known(buffer, after)
        if nothing_follows(buffer, after):
            leave()
            return HttpResponse(status=204)
    except BaseException:
        leave()
        raise
    encoder = Encoder(identifiers.chunk_id(message.requested_provider, message.public_id), with_ids=True)
    viewer = Viewer(buffer, encoder, after=after, opening_pause=turning.opening_pause(request))
    headers = {"X-Conversation-ID": message.conversation.public_id, "X-Message-ID": message.public_id}
    return EventStream(viewer, leave, headers)


async def cancel(request: ChatRequest, message_id: str) -> HttpResponseBase:
    """End a running reply, its text kept; one that has ended stays as it is."""
    caller = await identify(request)
    message = await database.read(reading.message_of, caller.owner_id, message_id)
    if message.role == Message.Role.USER:
        raise ApiError(409, "Only an assistant's message can be cancelled.")
    if message.status == "streaming":
        await engine.cancel(message)
    return await message_response(caller, message_id)


async def regenerate(request: ChatRequest, message_id: str) -> HttpResponseBase:
    """A new reply beside this one."""
    caller = await turning.caller_of(request)
    body = await request.json(RegenerateBody)
    return await _turn_at(request, caller, "regenerate", message_id, body, ())


async def edit(request: ChatRequest, message_id: str) -> HttpResponseBase:
    """A new user's message beside this one, and its reply."""
    caller = await turning.caller_of(request)
    body = await request.json(EditBody)
    text = checked_text(body.content, "content")
    return await _turn_at(request, caller, "edit", message_id, body, [Utterance("user", text)])


async def _turn_at(
    request: ChatRequest,
    caller: Caller,
    kind: Kind,
    message_id: str,
    body: RegenerateBody | EditBody,
    messages: list[Utterance] | tuple[()],
) -> HttpResponseBase:
    if body.parent_id is not UNSET:
        raise ApiError(400, "parent_id means nothing here: the message in the address says where the new part goes.")
    turn = Turn(
        owner_id=caller.owner_id,
        kind=kind,
        target_id=message_id,
        messages=messages,
        provider=None if body.provider is None else checked_provider(body.provider),
        on_busy=body.on_busy,
        on_disconnect=body.on_disconnect or "continue",
        claim=turning.claim_of(request, caller, f"{kind}/{message_id}", None),
        request_id=request.request_id,
    )
    reply = await turning.begin(request, caller, turn)
    assert reply.begun is not None
    return await turning.streamed(request, reply, encoder_of(reply, reply.begun.provider))


async def message_response(caller: Caller, message_id: str) -> HttpResponseBase:
    """The message as it now stands, to who changed it."""
    return HttpResponse(await _message_body(caller, message_id), content_type="application/json")


async def _message_body(caller: Caller, message_id: str) -> bytes:
    message, page, parents = await database.read(_whole_message, caller.owner_id, message_id)
    body = message_object(
        message,
        message.conversation.public_id,
        parents.get(message.parent_id),
        page.siblings.get(message.pk, ()),
        text_so_far(page, message),
    )
    return msgspec.json.encode(body)


def _whole_message(owner_id: int | None, message_id: str):  # type: ignore[no-untyped-def]
    message = reading.message_of(owner_id, message_id)
    return message, histories.filled([message]), histories.parents_of([message])


def _position(request: ChatRequest) -> int:
    """Where the client is: the header wins, since a browser repeats its first URL when it reconnects."""
    given = request.headers.get("Last-Event-ID")
    if given is None or given == "":
        given = request.GET.get("after", "0")
    if not POSITION.fullmatch(given):
        raise ApiError(400, "A position is 0 or a positive integer of at most 18 digits.")
    return int(given)


async def _known(buffer: Buffer, after: int) -> None:
    """Wait, within limits, until what is known reaches the client's position or the reply has ended."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            while buffer.ending is None and buffer.position < after:
                await buffer.changed(buffer.position)
    except TimeoutError:
        return
