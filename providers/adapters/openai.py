"""OpenAI's chat completions, and every server that speaks them (Ollama, vLLM, LM Studio through a base URL).

The SDK authenticates, sends and raises its errors; its stream is read as bytes, because one of its chunk objects costs
more than everything else we do per chunk. `client.post` is the SDK's way to a route without its own types: with
`chat.completions.create` each request would be walked through them, for 0.7 ms, and come out as it went in.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import httpx2
import msgspec
import openai

from providers.adapters import failures, http
from providers.adapters.reply import Part, Reply, read
from providers.adapters.turns import require_answerable
from providers.base import Push, keep
from providers.conf import ProviderConfig
from providers.errors import Filtered, Malformed, ProviderError, TimedOut, Unreachable, VendorFailed
from providers.events import Event, Finish, FinishReason
from providers.messages import CompletionRequest
from providers.text import decode

logger = logging.getLogger("providers")

VENDOR = "OpenAI"
PLACEHOLDER_KEY = "no-key"
"""Servers without keys ignore it, but the SDK insists on one."""

FINISH_REASONS: Mapping[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "content_filter": "content_filter",
    "tool_calls": "tool_call",
    "function_call": "tool_call",
}

ERRORS: Mapping[type[Exception], type[ProviderError]] = {
    openai.APITimeoutError: TimedOut,
    openai.APIConnectionError: Unreachable,
    openai.APIResponseValidationError: Malformed,
    openai.ContentFilterFinishReasonError: Filtered,
    openai.OpenAIError: VendorFailed,
}
"""The first row that matches, for what neither carries a status nor was caused by the network (see `failures`)."""

FILTER_CODES = frozenset({"content_filter", "content_policy_violation"})


class _Delta(msgspec.Struct, gc=False):
    content: str | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct, gc=False):
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Usage(msgspec.Struct, gc=False):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Chunk(msgspec.Struct, gc=False):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None


_CHUNK = msgspec.json.Decoder(_Chunk)


def to_wire(request: CompletionRequest, config: ProviderConfig) -> dict[str, Any]:
    """The body of the request. Raises Unanswerable."""
    require_answerable(request.messages)
    messages = [{"role": message.role, "content": message.content} for message in request.messages]
    if request.instructions:
        messages.insert(0, {"role": "system", "content": request.instructions})
    sampling: dict[str, Any] = {}
    if not _any_match(request.model, config.no_temperature):
        sampling = {"temperature": request.temperature, "top_p": request.top_p}
    limit = "max_completion_tokens" if _any_match(request.model, config.completion_tokens) else "max_tokens"
    options = {**sampling, limit: request.max_tokens, "stop": list(request.stop) or None, "seed": request.seed}
    return {
        **request.extra,
        **{name: value for name, value in options.items() if value is not None},
        "model": request.model,
        "messages": messages,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def from_wire(payload: bytes) -> Part:
    """One event of the stream. Raises Malformed."""
    if payload[:1] != b"{" and payload.strip() == b"[DONE]":
        return Part(told=True, done=True)
    chunk = decode(payload, _CHUNK)
    part = Part()
    if chunk.error is not None:
        return Part(told=True, error=_error_in_stream(chunk.error))
    if chunk.choices:
        _read_choice(chunk.choices[0], part)
    if chunk.usage is not None:
        part.told = True
        part.input_tokens = chunk.usage.prompt_tokens
        part.output_tokens = chunk.usage.completion_tokens
    return part


def _read_choice(choice: _Choice, part: Part) -> None:
    delta = choice.delta
    if delta is not None:
        part.text = delta.content or ""
        if delta.refusal:
            part.text += delta.refusal
            part.told, part.finish = True, Finish("content_filter", "refusal")
    if choice.finish_reason and part.finish is None:
        part.told, part.finish = True, Finish(FINISH_REASONS.get(choice.finish_reason), choice.finish_reason)


def _error_in_stream(error: object) -> ProviderError:
    """`error` is an object at OpenAI and a bare string at some others; `code` a word, a status or absent."""
    code = error.get("code") if isinstance(error, dict) else None
    if code in FILTER_CODES:
        return failures.in_stream(VENDOR, Filtered)
    status = int(code) if isinstance(code, int) or (isinstance(code, str) and code.isdecimal()) else 0
    return failures.in_stream(VENDOR, failures.STATUSES.get(status, VendorFailed))


def _any_match(model: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(model, pattern) for pattern in patterns)


def translate(error: Exception, opened: bool) -> ProviderError:
    """Any exception that the SDK, its transport or the network raises, as one of ours."""
    if isinstance(error, openai.APIStatusError):
        logger.info("%s refused request %s with status %d", VENDOR, error.request_id, error.status_code)
        return failures.of_status(VENDOR, error.status_code, Filtered if error.code in FILTER_CODES else None)
    return failures.of_exception(VENDOR, error, ERRORS, opened=opened)


class OpenAI:
    """One pooled client. It holds no state of a request, so that any number may run at once."""

    def __init__(self, config: ProviderConfig) -> None:
        self._config = config
        self._client = openai.AsyncOpenAI(
            api_key=config.api_key or PLACEHOLDER_KEY,
            base_url=config.base_url,
            max_retries=0,
            timeout=http.TIMEOUT,
            default_headers=http.HEADERS,
            http_client=http.client(config),
        )
        # Whole, because the SDK takes its base URL apart to add a path, with every request.
        self._url = f"{str(self._client.base_url).rstrip('/')}/chat/completions"

    def stream(self, request: CompletionRequest, push: Push = keep) -> AsyncGenerator[Event, None]:
        """Yield the reply's events. Raises ProviderError; closing it closes the vendor's stream."""
        return read(Reply(VENDOR, from_wire, push), http.reading(self._ask, request), translate)

    async def check(self, model: str) -> None:
        """Ask for the model's entry, or find it in the list where a server has no entries. Raises ProviderError."""
        with failures.translated(translate):
            try:
                await self._client.models.retrieve(model)
            except openai.NotFoundError:
                if model not in [entry.id for entry in (await self._client.models.list()).data]:
                    raise

    async def aclose(self) -> None:
        await self._client.close()

    async def _ask(self, request: CompletionRequest) -> None:
        await self._client.post(self._url, cast_to=httpx2.Response, body=to_wire(request, self._config))
