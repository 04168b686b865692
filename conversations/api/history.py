"""`GET /chat/history/{id}`: what was said, oldest first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
from django.http import HttpResponseBase, StreamingHttpResponse

from conversations import database
from conversations.api import etags
from conversations.api.errors import ApiError
from conversations.api.identity import identify
from conversations.api.requests import ChatRequest
from conversations.api.shapes import history_entry
from conversations.generations import engine
from conversations.identifiers import CHOSEN_ID
from conversations.models import Message
from conversations.store import histories
from conversations.store.histories import CHUNK, Page

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


async def history(request: ChatRequest, conversation_id: str) -> HttpResponseBase:
    """A page where `limit` or `before` ask for one, else the whole conversation."""
    caller = await identify(request)
    limit = limit_of(request.GET.get("limit"), DEFAULT_LIMIT, MAX_LIMIT)
    before = request.GET.get("before")
    if before is not None and not CHOSEN_ID.fullmatch(before):
        raise ApiError(400, "before must be the id of a message of this conversation.")
    if "limit" in request.GET or before is not None:
        page = await database.read(histories.page, caller.owner_id, conversation_id, limit, before)
        return etags.answer(request, msgspec.json.encode({"messages": entries(page)}))
    conversation = await database.read(histories.conversation_of, caller.owner_id, conversation_id)
    first = await database.read(histories.chunk_after, conversation.pk, 0)
    if len(first.messages) < CHUNK:
        return etags.answer(request, msgspec.json.encode({"messages": entries(first)}))
    return StreamingHttpResponse(_whole(conversation.pk, first), content_type="application/json")


def limit_of(given: str | None, default: int, most: int) -> int:
    """Raises `ApiError` 400."""
    if given is None:
        return default
    if not given.isascii() or not given.isdecimal() or not 1 <= int(given[:10]) <= most:
        raise ApiError(400, f"limit must be a number from 1 to {most}.")
    return int(given)


def entries(page: Page) -> list[dict[str, Any]]:
    return [
        history_entry(message, page.siblings.get(message.pk, ()), text_so_far(page, message))
        for message in page.messages
    ]


def text_so_far(page: Page, message: Message) -> str | None:
    """Text of a message that still streams, from where more of it is known; None for one that has ended.

    What is known of its model so far is filled in.
    """
    journalled = page.streamed.get(message.pk)
    if journalled is None:
        return None
    live = engine.live.get(message.pk)
    if live is None or live.buffer.position <= len(journalled):
        return journalled
    if live.production.serving is not None:
        message.provider, message.model = live.production.serving.provider, live.production.serving.model
    return live.buffer.text


async def _whole(conversation_pk: int, page: Page) -> AsyncIterator[bytes]:
    """The JSON of a whole history, read and sent in steps: its memory does not grow with its length."""
    yield b'{"messages":['
    separator = b""
    while page.messages:
        for entry in entries(page):
            yield separator + msgspec.json.encode(entry)
            separator = b","
        if len(page.messages) < CHUNK:
            break
        page = await database.read(histories.chunk_after, conversation_pk, page.messages[-1].pk)
    yield b"]}"
