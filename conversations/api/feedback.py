"""`PUT /chat/messages/{id}/feedback`: thumbs up or down, and why."""

from __future__ import annotations

from typing import Literal

import msgspec
from django.http import HttpResponseBase

from conversations import database
from conversations.api.bodies import MAX_LENGTH
from conversations.api.errors import ApiError
from conversations.api.identity import identify
from conversations.api.messages import message_response
from conversations.api.requests import ChatRequest
from conversations.store import changing


class FeedbackBody(msgspec.Struct):
    """rating: None takes it back"""

    rating: Literal["up", "down"] | None
    comment: str | None = None


async def rate(request: ChatRequest, message_id: str) -> HttpResponseBase:
    """Replace rating and comment of a reply. Answers with the message."""
    caller = await identify(request)
    body = await request.json(FeedbackBody)
    comment = _checked_comment(body.comment or "")
    await database.write(changing.give_feedback, caller.owner_id, message_id, body.rating or "", comment)
    return await message_response(caller, message_id)


def _checked_comment(comment: str) -> str:
    if len(comment) > MAX_LENGTH:
        raise ApiError(400, f"comment is too long: at most {MAX_LENGTH} characters are allowed.")
    if "\0" in comment:
        raise ApiError(400, "comment must not contain NUL characters.")
    return comment
