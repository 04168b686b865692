"""Anthropic's messages.

The SDK authenticates, sends and raises its errors; its stream is read as bytes (see `openai`). `client.post` is the
SDK's way to a route without its own types: those of 2.x know no `temperature` any more, and its API version refuses
sampling parameters, so the version that takes them is named instead.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import anthropic
import httpx2
import msgspec

from providers.adapters import failures, http
from providers.adapters.reply import Part, Reply, read
from providers.adapters.turns import alternate
from providers.base import Push, keep
from providers.conf import ProviderConfig
from providers.errors import (
    BadRequest,
    Malformed,
    ModelNotFound,
    ProviderError,
    RateLimited,
    TimedOut,
    Unauthorized,
    Unreachable,
    VendorFailed,
)
from providers.events import Event, Finish, FinishReason
from providers.messages import CompletionRequest
from providers.text import decode

logger = logging.getLogger("providers")

VENDOR = "Anthropic"
API_VERSION = "2023-06-01"
PLACEHOLDER_KEY = "no-key"
MAX_TOKENS = 8192
"""Where neither the request nor the configuration says: Anthropic demands a limit."""

FINISH_REASONS: Mapping[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
    "tool_use": "tool_call",
}
"""`pause_turn` is none of ours: the model meant to go on."""

ERRORS: Mapping[type[Exception], type[ProviderError]] = {
    anthropic.APITimeoutError: TimedOut,
    anthropic.APIConnectionError: Unreachable,
    anthropic.APIResponseValidationError: Malformed,
    anthropic.APIWebhookValidationError: Malformed,
    anthropic.CredentialsError: Unauthorized,
    anthropic.AnthropicError: VendorFailed,
}
"""The first row that matches, for what neither carries a status nor was caused by the network (see `failures`)."""

ERROR_TYPES: Mapping[str, type[ProviderError]] = {
    "invalid_request_error": BadRequest,
    "authentication_error": Unauthorized,
    "permission_error": Unauthorized,
    "not_found_error": ModelNotFound,
    "rate_limit_error": RateLimited,
}
"""Errors in a stream have a word in place of a status; the words not here are VendorFailed."""


class _Usage(msgspec.Struct, gc=False):
    input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    output_tokens: int | None = None


class _Message(msgspec.Struct, gc=False):
    usage: _Usage | None = None


class _Delta(msgspec.Struct, gc=False):
    """Of a content block, or of the message: then it tells `stop_reason`."""

    type: str = ""
    text: str | None = None
    stop_reason: str | None = None


class _Error(msgspec.Struct, gc=False):
    type: str = ""


class _Event(msgspec.Struct, gc=False):
    type: str = ""
    delta: _Delta | None = None
    content_block: _Delta | None = None
    message: _Message | None = None
    usage: _Usage | None = None
    error: _Error | None = None


_EVENT = msgspec.json.Decoder(_Event)


def to_wire(request: CompletionRequest, config: ProviderConfig) -> dict[str, Any]:
    """The body of the request. Raises Unanswerable."""
    options: dict[str, Any] = {"stop_sequences": list(request.stop) or None}
    if request.instructions.strip():
        options["system"] = request.instructions
    if not any(fnmatchcase(request.model, pattern) for pattern in config.no_temperature):
        options |= {"temperature": request.temperature, "top_p": request.top_p}
    return {
        **request.extra,
        **{name: value for name, value in options.items() if value is not None},
        "model": request.model,
        "max_tokens": request.max_tokens or config.max_tokens or MAX_TOKENS,
        "messages": [{"role": turn.role, "content": turn.text} for turn in alternate(request.messages)],
        "stream": True,
    }


def from_wire(payload: bytes) -> Part:
    """One event of the stream. Raises Malformed."""
    event = decode(payload, _EVENT)
    if event.type == "content_block_delta":
        return Part(_text(event.delta, "text_delta"))
    if event.type == "content_block_start":
        return Part(_text(event.content_block, "text"))
    if event.type == "message_start":
        return _with_usage(Part(), event.message.usage if event.message else None)
    if event.type == "message_delta":
        reason = event.delta.stop_reason if event.delta else None
        part = Part(told=True, finish=Finish(FINISH_REASONS.get(reason), reason) if reason else None)
        return _with_usage(part, event.usage)
    if event.type == "message_stop":
        return Part(told=True, done=True)
    if event.type == "error":
        word = event.error.type if event.error else ""
        return Part(told=True, error=failures.in_stream(VENDOR, ERROR_TYPES.get(word, VendorFailed)))
    return Part()


def _text(block: _Delta | None, kind: str) -> str:
    """Thinking, signatures, citations and the arguments of tools are not text."""
    return block.text or "" if block is not None and block.type == kind else ""


def _with_usage(part: Part, usage: _Usage | None) -> Part:
    """The input tokens in total are those read from and written to the cache too, says Anthropic's reference."""
    if usage is not None:
        part.told = True
        part.output_tokens = usage.output_tokens
        if usage.input_tokens is not None:
            cached = (usage.cache_creation_input_tokens or 0) + (usage.cache_read_input_tokens or 0)
            part.input_tokens = usage.input_tokens + cached
    return part


def translate(error: Exception, opened: bool) -> ProviderError:
    """Any exception that the SDK, its transport or the network raises, as one of ours."""
    if isinstance(error, anthropic.APIStatusError):
        logger.info("%s refused request %s with status %d", VENDOR, error.request_id, error.status_code)
        return failures.of_status(VENDOR, error.status_code)
    return failures.of_exception(VENDOR, error, ERRORS, opened=opened)


class Anthropic:
    """One pooled client. It holds no state of a request, so that any number may run at once."""

    def __init__(self, config: ProviderConfig) -> None:
        self._config = config
        self._client = anthropic.AsyncAnthropic(
            api_key=config.api_key or PLACEHOLDER_KEY,
            base_url=config.base_url,
            max_retries=0,
            timeout=http.TIMEOUT,
            default_headers={**http.HEADERS, "anthropic-version": API_VERSION},
            http_client=http.client(config),
            open_telemetry=False,
        )
        self._url = f"{str(self._client.base_url).rstrip('/')}/v1/messages"  # whole, as in `openai`

    def stream(self, request: CompletionRequest, push: Push = keep) -> AsyncGenerator[Event, None]:
        """Yield the reply's events. Raises ProviderError; closing it closes the vendor's stream."""
        return read(Reply(VENDOR, from_wire, push), http.reading(self._ask, request), translate)

    async def check(self, model: str) -> None:
        """Ask for the model's entry, which resolves an alias such as `…-latest` too. Raises ProviderError."""
        with failures.translated(translate):
            await self._client.models.retrieve(model)

    async def aclose(self) -> None:
        await self._client.close()

    async def _ask(self, request: CompletionRequest) -> None:
        await self._client.post(self._url, cast_to=httpx2.Response, body=to_wire(request, self._config))
