"""Conversations to keep: the download that an owner gets from the API, for whoever may read it here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.contrib.admin.models import CHANGE
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, StreamingHttpResponse

from conversations.admin.lists import log, shortened
from conversations.admin.reading import conversation_for_reader
from conversations.api.export import FORMATS, as_json, as_markdown, attachment, download
from conversations.models import Conversation

MOST_AT_ONCE = 1000
TOGETHER = {"json": ("jsonl", "application/jsonl"), "markdown": FORMATS["markdown"]}
BETWEEN = b"\n---\n\n"
"""What stands between two conversations in Markdown. In JSON each is a line, as `import_conversations` reads them."""


def export(request: HttpRequest, key: int, model_admin: Any) -> StreamingHttpResponse:
    """`format` is `json` or `markdown`. Read and sent in steps, and noted in the admin's log."""
    conversation = conversation_for_reader(model_admin, request, key)
    kind = request.GET.get("format", "json")
    if kind not in FORMATS:
        raise Http404("A conversation is exported as json or markdown.")
    _note(request, conversation, kind)
    return download(conversation, kind)


def export_selected(
    model_admin: Any, request: HttpRequest, rows: QuerySet[Conversation], kind: str
) -> StreamingHttpResponse | None:
    """The list's action: one file with all of them."""
    chosen = list(rows.defer(None).defer("metadata")[: MOST_AT_ONCE + 1])
    if len(chosen) > MOST_AT_ONCE:
        text = f"At most {MOST_AT_ONCE:,} are exported at once here. `manage.py export_conversations` takes more."
        model_admin.message_user(request, text, messages.ERROR)
        return None
    if len(chosen) == 1:
        _note(request, chosen[0], kind)
        return download(chosen[0], kind)
    for conversation in chosen:
        _note(request, conversation, kind)
    ending, content_type = TOGETHER[kind]
    return attachment(
        _together(chosen, kind), f"conversations-{datetime.now(UTC):%Y%m%d-%H%M%S}.{ending}", content_type
    )


def _note(request: HttpRequest, conversation: Conversation, kind: str) -> None:
    log(request, conversation, shortened(conversation.public_id), CHANGE, f"Exported as {kind}.")


async def _together(conversations: Sequence[Conversation], kind: str) -> AsyncIterator[bytes]:
    for place, conversation in enumerate(conversations):
        if place and kind == "markdown":
            yield BETWEEN
        pieces = as_json(conversation) if kind == "json" else as_markdown(conversation)
        async with aclosing(pieces):
            async for piece in pieces:
                yield piece
