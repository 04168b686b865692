"""`GET /chat/conversations/{id}/export`: a whole conversation to keep, with every branch.

JSON is one line, so that several such documents in one file are JSON Lines:

    {"format": "dialogix", "version": 1,
     "conversation": {"conversation_id", "title", "created_at", "updated_at", "archived", "instructions"},
     "messages": [{"id", "parent_id", "active", "role", "content", "timestamp", "status", "provider", "model",
                   "finish_reason", "usage", "error", "feedback"}, …]}

Messages come in the order they were written, parents before children; the `active` ones are the history as it is
shown; the values are those of the API's message. Replies that ended without text are among them.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator

import msgspec
from django.http import HttpResponseBase, StreamingHttpResponse

from conversations import database
from conversations.api.errors import ApiError
from conversations.api.identity import identify
from conversations.api.listing import entry
from conversations.api.requests import ChatRequest
from conversations.api.shapes import message_object, timestamp
from conversations.models import Conversation, Message
from conversations.store import exporting, histories
from conversations.store.exporting import Part

FORMAT = {"format": "dialogix", "version": 1}
NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]")
FORMATS = {"json": ("json", "application/json"), "markdown": ("md", "text/markdown; charset=utf-8")}
"""Per format the ending of the file's name and the content type."""

Writer = Callable[[Conversation, Iterator[Part]], Iterator[bytes]]


async def export(request: ChatRequest, conversation_id: str) -> HttpResponseBase:
    """A download, read and sent in steps: its memory does not grow with the conversation."""
    caller = await identify(request)
    kind = request.GET.get("format", "json")
    if kind not in FORMATS:
        raise ApiError(400, "format must be json or markdown.")
    return download(await database.read(histories.conversation_of, caller.owner_id, conversation_id), kind)


def download(conversation: Conversation, kind: str) -> StreamingHttpResponse:
    """The whole conversation as a file. kind: one of `FORMATS`"""
    ending, content_type = FORMATS[kind]
    pieces = as_json(conversation) if kind == "json" else as_markdown(conversation)
    return attachment(pieces, f"{NOT_IN_A_NAME.sub('_', conversation.public_id)}.{ending}", content_type)


def attachment(pieces: AsyncIterator[bytes], name: str, content_type: str) -> StreamingHttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return StreamingHttpResponse(pieces, content_type=content_type, headers=headers)


async def as_json(conversation: Conversation) -> AsyncGenerator[bytes, None]:
    yield json_beginning(conversation)
    separator = b""
    async for part in _parts(conversation):
        for message in part.messages:
            yield separator + json_message(conversation, message, part)
            separator = b","
    yield b"]}\n"


async def as_markdown(conversation: Conversation) -> AsyncGenerator[bytes, None]:
    yield markdown_beginning(conversation)
    previous: str | None = None
    async for part in _parts(conversation):
        for message in part.messages:
            yield markdown_message(message, part, previous)
            previous = message.public_id


def json_beginning(conversation: Conversation) -> bytes:
    """Everything up to the first message."""
    told = entry(conversation) | {"instructions": conversation.instructions}
    del told["status"]
    return msgspec.json.encode({**FORMAT, "conversation": told})[:-1] + b',"messages":['


def json_message(conversation: Conversation, message: Message, part: Part) -> bytes:
    parent = part.parents.get(message.parent_id) if message.parent_id is not None else None
    told = message_object(message, conversation.public_id, parent, (), part.streamed.get(message.pk))
    del told["conversation_id"], told["position"]
    return msgspec.json.encode({**told, "active": message.active})


def markdown_beginning(conversation: Conversation) -> bytes:
    lines = [f"# {' '.join(conversation.title.split()) or conversation.public_id}", ""]
    lines += [f"Conversation `{conversation.public_id}`, begun {timestamp(conversation.created_at)}", ""]
    if conversation.instructions:
        lines += ["## Instructions", "", conversation.instructions, ""]
    return "\n".join(lines).encode()


def markdown_message(message: Message, part: Part, previous: str | None) -> bytes:
    """previous: the id of the message written before it, which needs not be named as what is answered"""
    facts = [message.get_role_display(), message.model, timestamp(message.created_at)]
    facts += [message.status] if message.status != "complete" else []
    lines = ["", f"## {' · '.join(filter(None, facts))}", "", f"`{message.public_id}`"]
    parent = part.parents.get(message.parent_id) if message.parent_id is not None else None
    if parent != previous:
        lines[-1] += f", another branch after `{parent}`" if parent else ", another beginning"
    text = part.streamed.get(message.pk, message.content)
    return "\n".join([*lines, "", text, *([f"> {message.error}"] if message.error else []), ""]).encode()


async def _parts(conversation: Conversation) -> AsyncIterator[Part]:
    part = await database.read(exporting.part_after, conversation.pk, 0)
    while part.messages:
        yield part
        part = await database.read(exporting.part_after, conversation.pk, part.messages[-1].pk)
