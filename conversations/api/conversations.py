"""`/chat/conversations` and one of them: made, read, renamed, archived, deleted."""

from __future__ import annotations

from typing import Any

import msgspec
from django.http import HttpResponse, HttpResponseBase
from msgspec import UNSET, UnsetType

from conversations import database, identifiers, prices
from conversations.api import etags
from conversations.api.errors import ApiError
from conversations.api.identity import identify
from conversations.api.listing import entry
from conversations.api.requests import ChatRequest
from conversations.generations import engine
from conversations.models import Conversation
from conversations.store import changing, erasing, histories
from conversations.store.spending import models_used

LONGEST_TITLE = 200


class Anything(msgspec.Struct):
    """A body whose fields mean nothing."""


class ChangeBody(msgspec.Struct):
    """title: None brings the beginning of the first message back"""

    title: str | UnsetType | None = UNSET
    archived: bool | UnsetType = UNSET


async def create(request: ChatRequest) -> HttpResponseBase:
    """A new, empty conversation, under an id that cannot be guessed."""
    caller = await identify(request)
    await request.json(Anything, empty_is_object=True)
    public_id = identifiers.conversation_id()
    await database.write(Conversation.objects.create, public_id=public_id, owner_id=caller.owner_id)
    return HttpResponse(msgspec.json.encode({"conversation_id": public_id}), content_type="application/json")


async def show(request: ChatRequest, conversation_id: str) -> HttpResponseBase:
    """One conversation with what it used and cost, over all branches."""
    caller = await identify(request)
    return etags.answer(request, await database.read(_read, caller.owner_id, conversation_id))


async def change(request: ChatRequest, conversation_id: str) -> HttpResponseBase:
    """A new title, or in and out of the archive. Answers like `show`."""
    caller = await identify(request)
    changes = _changes(await request.json(ChangeBody))
    body = await database.write(_change, caller.owner_id, conversation_id, changes)
    return HttpResponse(body, content_type="application/json")


async def remove(request: ChatRequest, conversation_id: str) -> HttpResponseBase:
    """Delete everything of a conversation. Replies under way end, and their clients are told."""
    caller = await identify(request)
    conversation = await database.read(histories.conversation_of, caller.owner_id, conversation_id)
    done = False
    while not done:  # a step at a time, so that whatever else is to be written comes between
        step = await database.write(erasing.erase_some, conversation.pk)
        await engine.lose(step.under_way)
        done = step.done
    engine.changed(conversation.pk, caller.owner_id, conversation.public_id)
    return HttpResponse(status=204)


def _changes(body: ChangeBody) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if not isinstance(body.title, UnsetType):
        changes["title"] = body.title if body.title is None else _checked_title(body.title)
    if not isinstance(body.archived, UnsetType):
        changes["archived"] = body.archived
    return changes


def _checked_title(title: str) -> str:
    if not 1 <= len(title) <= LONGEST_TITLE:
        raise ApiError(400, f"title must have 1 to {LONGEST_TITLE} characters, or be null.")
    if "\0" in title:
        raise ApiError(400, "title must not contain NUL characters.")
    return title


def _read(owner_id: int | None, public_id: str) -> bytes:
    return _whole(histories.conversation_of(owner_id, public_id))


def _change(owner_id: int | None, public_id: str, changes: dict[str, Any]) -> bytes:
    return _whole(changing.change(owner_id, public_id, changes))


def _whole(conversation: Conversation) -> bytes:
    used = models_used([conversation.pk])[conversation.pk]
    cost = prices.total(each.cost for each in used)
    return msgspec.json.encode(
        {
            **entry(conversation),
            "message_count": conversation.message_count,
            "usage": {"input_tokens": conversation.input_tokens, "output_tokens": conversation.output_tokens},
            "cost": None if cost is None else float(cost),
        }
    )
