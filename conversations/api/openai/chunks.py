"""OpenAI's chunks and whole completions: a reply's text in, bytes out."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from conversations.generations.buffer import Ending, Tally
from conversations.models import Status

FINISH_WORDS = {"tool_call": "tool_calls"}

_json = msgspec.json.encode


def finish_word(ending: Ending) -> str | None:
    """OpenAI's word for how the model ended; null where it is not known."""
    reason = ending.finish_reason
    return FINISH_WORDS.get(reason, reason) if reason else None


def usage_object(tally: Tally | None) -> dict[str, int] | None:
    if tally is None:
        return None
    total = tally.input_tokens + tally.output_tokens
    return {"prompt_tokens": tally.input_tokens, "completion_tokens": tally.output_tokens, "total_tokens": total}


def completion(chunk_id: str, model: str, text: str, ending: Ending) -> bytes:
    """The body of an answer that is not streamed."""
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": finish_word(ending), "logprobs": None}
    return _json(
        {
            "id": chunk_id,
            "object": "chat.completion",
            "created": int(time.time()),
            "model": model,
            "choices": [choice],
            "usage": usage_object(ending.tally),
        }
    )


class ChunkEncoder:
    """Writes one reply's chunks; an error ends the stream without the `[DONE]` that would pretend success."""

    def __init__(self, chunk_id: str, *, include_usage: bool) -> None:
        self._chunk_id = chunk_id
        self._created = int(time.time())
        self._include_usage = include_usage
        self._model: str | None = None
        self._prefix = b""
        self._suffix = b',"refusal":null},"logprobs":null,"finish_reason":null}]'
        if include_usage:
            self._suffix += b',"usage":null'
        self._suffix += b"}\n\n"

    def delta(self, text: str, position: int, model: str) -> bytes:
        """The first one tells the role as well."""
        if model == self._model:
            return self._prefix + _json(text) + self._suffix
        self._model = model
        head = b"data: " + _json(self._head())[:-1] + b',"choices":[{"index":0,"delta":{'
        self._prefix = head + b'"content":'
        return head + b'"role":"assistant","content":' + _json(text) + self._suffix

    def end(self, position: int, after: int, ending: Ending) -> bytes:
        if ending.status not in (Status.COMPLETE, Status.CANCELLED):
            error = {"message": ending.error, "type": "server_error", "param": None, "code": None}
            return b"data: " + _json({"error": error}) + b"\n\n"
        choice = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": finish_word(ending)}
        parts = [self._event({"choices": [choice], **({"usage": None} if self._include_usage else {})})]
        if self._include_usage:
            parts.append(self._event({"choices": [], "usage": usage_object(ending.tally)}))
        return b"".join(parts) + b"data: [DONE]\n\n"

    def _event(self, fields: dict[str, Any]) -> bytes:
        return b"data: " + _json({**self._head(), **fields}) + b"\n\n"

    def _head(self) -> dict[str, Any]:
        return {
            "id": self._chunk_id,
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": self._model or "",
        }
