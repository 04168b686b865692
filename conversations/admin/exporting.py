"""A conversation to keep: the download that its owner gets from the API, for whoever may read it here."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import CHANGE
from django.http import Http404, HttpRequest, StreamingHttpResponse

from conversations.admin.lists import log, shortened
from conversations.admin.reading import conversation_for_reader
from conversations.api.export import FORMATS, download


def export(request: HttpRequest, key: int, model_admin: Any) -> StreamingHttpResponse:
    """`format` is `json` or `markdown`. Read and sent in steps, and noted in the admin's log."""
    conversation = conversation_for_reader(model_admin, request, key)
    kind = request.GET.get("format", "json")
    if kind not in FORMATS:
        raise Http404("A conversation is exported as json or markdown.")
    log(request, conversation, shortened(conversation.public_id), CHANGE, f"Exported as {kind}.")
    return download(conversation, kind)
