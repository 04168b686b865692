"""OpenAI's request parameters: which are honoured, which are passed on, and which are refused by name.

A parameter that would change the answer is never ignored. Values that ask for nothing (defaults, null) always pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from conversations.api.errors import ApiError
from providers.messages import CompletionRequest, Message

BOOKKEEPING = frozenset({"user", "metadata", "store", "safety_identifier", "prompt_cache_key", "service_tier"})
"""They change nothing in the answer."""

OPENAI_ONLY = frozenset(
    {
        "frequency_penalty",
        "presence_penalty",
        "logit_bias",
        "response_format",
        "reasoning_effort",
        "verbosity",
        "prediction",
    }
)
"""Passed on as they stand where the model's vendor is OpenAI."""

HONOURED = frozenset(
    {
        "model",
        "messages",
        "stream",
        "stream_options",
        "temperature",
        "top_p",
        "max_tokens",
        "max_completion_tokens",
        "stop",
        "seed",
    }
)
DEFAULTS: Mapping[str, Sequence[Any]] = {
    "n": (1,),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logit_bias": ({},),
    "response_format": ({"type": "text"},),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "tools": ([],),
    "functions": ([],),
    "tool_choice": ("none", "auto"),
    "function_call": ("none", "auto"),
    "parallel_tool_calls": (True, False),
    "modalities": (["text"],),
}
"""Values that ask for nothing beyond a plain text answer."""

MESSAGE_FIELDS = frozenset({"role", "content"})
INSTRUCTION_ROLES = ("system", "developer")


@dataclass(frozen=True, slots=True)
class ChatParameters:
    """One request. `instructions` is None where the request has no system message."""

    model: str
    messages: Sequence[Message]
    instructions: str | None
    stream: bool
    include_usage: bool
    request: CompletionRequest


def model_of(body: Mapping[str, Any]) -> str:
    return _typed(body, "model", str, required=True)


def parameters(body: Mapping[str, Any], vendor: str) -> ChatParameters:
    """Check the whole body for a model of `vendor`. Raises `ApiError` 400 with the parameter's name."""
    extra = _extra(body, vendor)
    messages, instructions = _messages(body)
    if not messages:
        raise _bad("messages", "messages must hold at least one user or assistant message.")
    seed = _typed(body, "seed", int)
    if seed is not None and vendor == "anthropic":
        raise _bad("seed", "The model's vendor knows no seed.")
    limit = _typed(body, "max_completion_tokens", int)
    request = CompletionRequest(
        messages=messages,
        model=model_of(body),
        instructions=instructions or "",
        temperature=_number(body, "temperature", 0, 2),
        max_tokens=_positive("max_tokens", limit if limit is not None else _typed(body, "max_tokens", int)),
        top_p=_number(body, "top_p", 0, 1),
        stop=_stop(body),
        seed=seed,
        extra=extra,
    )
    options = _typed(body, "stream_options", dict) or {}
    return ChatParameters(
        model=request.model,
        messages=messages,
        instructions=instructions,
        stream=bool(_typed(body, "stream", bool)),
        include_usage=bool(options.get("include_usage")),
        request=request,
    )


def _extra(body: Mapping[str, Any], vendor: str) -> dict[str, object]:
    """Parameters for the vendor as they stand. Raises for what can neither be honoured nor ignored."""
    extra: dict[str, object] = {}
    for name, value in body.items():
        if name in HONOURED or name in BOOKKEEPING or value is None or value in DEFAULTS.get(name, ()):
            continue
        if name not in OPENAI_ONLY or vendor != "openai":
            raise _bad(name, f"{name} is not supported for this model here.", code="unsupported_parameter")
        extra[name] = value
    return extra


def _messages(body: Mapping[str, Any]) -> tuple[list[Message], str | None]:
    entries = _typed(body, "messages", list, required=True)
    spoken: list[Message] = []
    system: list[str] = []
    for index, entry in enumerate(entries):
        place = f"messages[{index}]"
        if not isinstance(entry, dict):
            raise _bad(place, f"{place} must be an object.")
        role, text = entry.get("role"), _text(entry.get("content"), f"{place}.content")
        if unsupported := [name for name, value in entry.items() if name not in MESSAGE_FIELDS and value]:
            raise _bad(f"{place}.{unsupported[0]}", f"{place}.{unsupported[0]} is not supported here.")
        if role in INSTRUCTION_ROLES:
            system.append(text)
        elif role in ("user", "assistant"):
            if text:
                spoken.append(Message(role, text))
        else:
            raise _bad(f"{place}.role", f"{place}.role must be one of system, developer, user, assistant.")
    joined = "\n\n".join(text for text in system if text)
    return spoken, joined if system else None


def _text(content: Any, place: str) -> str:
    """Content as text: a string, or text parts joined; an assistant's may be null."""
    if content is None:
        return ""
    if isinstance(content, list):
        for number, part in enumerate(content):
            if not isinstance(part, dict) or part.get("type") != "text" or not isinstance(part.get("text"), str):
                raise _bad(f"{place}[{number}]", f"{place}[{number}] is not a text part; only text is supported here.")
        content = "".join(part["text"] for part in content)
    if not isinstance(content, str):
        raise _bad(place, f"{place} must be a string or a list of text parts.")
    if "\0" in content:
        raise _bad(place, f"{place} must not contain NUL characters.")
    return content


def _stop(body: Mapping[str, Any]) -> Sequence[str]:
    stop = body.get("stop")
    words = [stop] if isinstance(stop, str) else stop or []
    if not isinstance(words, list) or len(words) > 4 or not all(isinstance(word, str) and word for word in words):
        raise _bad("stop", "stop must be a string or a list of at most four.")
    return words


def _number(body: Mapping[str, Any], name: str, least: float, most: float) -> float | None:
    value = _typed(body, name, (int, float))
    if value is not None and not least <= value <= most:
        raise _bad(name, f"{name} must be between {least} and {most}.")
    return value


def _positive(name: str, value: int | None) -> int | None:
    if value is not None and value < 1:
        raise _bad(name, f"{name} must be at least 1.")
    return value


def _typed(body: Mapping[str, Any], name: str, kind: Any, *, required: bool = False) -> Any:
    value = body.get(name)
    if value is None:
        if required:
            raise _bad(name, f"{name} field is required")
        return None
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        wanted = " or ".join(each.__name__ for each in (kind if isinstance(kind, tuple) else (kind,)))
        raise _bad(name, f"{name} must be of type {wanted}.")
    return value


def _bad(param: str, message: str, code: str | None = None) -> ApiError:
    return ApiError(400, message, param=param, code=code)


decode_object: Callable[[bytes], dict[str, Any]] = msgspec.json.Decoder(dict[str, Any]).decode
