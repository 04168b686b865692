"""OpenAI's chat completions and models, as the official endpoint answers them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from providers.simulator.scripts import Script
from providers.simulator.vendor import Ask, Json, Refusal, Reply, Route, dumps, objects, part_texts

MODELS = ("gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-5", "gpt-5-mini", "o3")
# Names of local servers pass as well: they speak this protocol too.
KNOWN = (
    "gpt-*",
    "chatgpt-*",
    "o[0-9]*",
    "ft:*",
    "*/*",
    "*:*",
    "llama*",
    "qwen*",
    "mistral*",
    "gemma*",
    "phi*",
    "deepseek*",
)
REASONING = ("o[0-9]*", "gpt-5*")
ROLES = ("system", "assistant", "user", "function", "tool", "developer")
KINDS = {401: "invalid_request_error", 403: "insufficient_permissions", 429: "requests", 500: "server_error"}
CODES = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}


class OpenAI:
    name = "openai"
    stream_type = "text/event-stream; charset=utf-8"
    json_type = "application/json"

    def route(self, method: str, path: str) -> Route:
        if method == "POST" and path == "/v1/chat/completions":
            return Route("chat")
        if method == "GET" and path == "/v1/models":
            return Route("models")
        if method == "GET" and path.startswith("/v1/models/"):
            return Route("model", path.removeprefix("/v1/models/"))
        return Route()

    def has_key(self, headers: Mapping[str, str], query: Mapping[str, str]) -> bool:
        scheme, _, key = headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and bool(key.strip())

    def read(self, route: Route, body: Json, headers: Mapping[str, str]) -> Ask:
        messages = objects(body.get("messages"))
        texts = [text for message in messages for text in part_texts(message.get("content"))]
        users = [message for message in messages if message.get("role") == "user"]
        prompt = "\n".join(part_texts(users[-1].get("content"))) if users else ""
        return Ask(str(body.get("model") or ""), body.get("stream") is True, body, headers, texts, prompt)

    def refuse(self, ask: Ask) -> Refusal | None:
        if not ask.model:
            return _bad("you must provide a model parameter", None)
        return _bad_messages(ask.body.get("messages")) or self._unknown(ask.model) or _bad_parameters(ask)

    def _unknown(self, model: str) -> Refusal | None:
        return None if self.model(model) else self.unknown_model(model)

    def unknown_model(self, name: str) -> Refusal:
        message = f"The model `{name}` does not exist or you do not have access to it."
        return Refusal(404, message, "invalid_request_error", None, "model_not_found")

    def models(self) -> Json:
        return {"object": "list", "data": [self.model(name) for name in MODELS]}

    def model(self, name: str) -> Json | None:
        if not any(fnmatchcase(name, pattern) for pattern in KNOWN):
            return None
        return {"id": name, "object": "model", "created": 1715367049, "owned_by": "system"}

    def headers(self, request_id: str) -> list[tuple[bytes, bytes]]:
        return [
            (b"x-request-id", b"req_" + request_id.encode()),
            (b"openai-organization", b"simulator"),
            (b"openai-processing-ms", b"20"),
            (b"openai-version", b"2020-10-01"),
        ]

    def error(self, refusal: Refusal, request_id: str) -> Json:
        kind = refusal.kind or KINDS.get(refusal.status) or _kind(refusal.status)
        code = refusal.code if refusal.kind else CODES.get(refusal.status)
        return {"error": {"message": refusal.message, "type": kind, "param": refusal.param, "code": code}}

    def error_frame(self, refusal: Refusal, request_id: str) -> bytes:
        return b"data: " + dumps(self.error(refusal, request_id)) + b"\n\n"

    def opening(self, reply: Reply) -> bytes:
        return self._frame(reply, {"role": "assistant", "content": "", "refusal": None})

    def around(self, reply: Reply) -> tuple[bytes, bytes]:
        head = dumps(self._common(reply, "chat.completion.chunk"))[:-1]
        tail = b',"usage":null}\n\n' if _wants_usage(reply) else b"}\n\n"
        return b"data: " + head + b",", tail

    def bodies(self, deltas: Sequence[str], script: Script) -> list[bytes]:
        return [_choice({"content": delta}, None, script.ascii) for delta in deltas]

    def closing(self, reply: Reply) -> bytes:
        refusal = reply.script.refusal
        frames = [self._frame(reply, {"refusal": refusal})] if refusal else []
        finish = _finish(reply)
        if finish:
            frames.append(self._frame(reply, {}, finish))
        if _wants_usage(reply):
            last = {**self._common(reply, "chat.completion.chunk"), "choices": [], "usage": _usage(reply)}
            frames.append(b"data: " + dumps(last) + b"\n\n")
        return b"".join(frames) + b"data: [DONE]\n\n"

    def whole(self, reply: Reply) -> Json:
        message: Json = {"role": "assistant", "content": reply.text, "refusal": reply.script.refusal, "annotations": []}
        if reply.script.refusal is not None and not reply.text:
            message["content"] = None
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(reply)}
        usage = {"usage": _usage(reply)} if reply.script.usage else {}
        return {**self._common(reply, "chat.completion"), "choices": [choice], **usage}

    def _frame(self, reply: Reply, delta: Json, finish: str | None = None) -> bytes:
        head, tail = self.around(reply)
        return head + _choice(delta, finish, reply.script.ascii) + tail

    def _common(self, reply: Reply, kind: str) -> Json:
        return {
            "id": f"chatcmpl-{reply.id}",
            "object": kind,
            "created": reply.created,
            "model": dated(reply.ask.model),
            "service_tier": "default",
            "system_fingerprint": "fp_simulator",
        }


def dated(model: str) -> str:
    """The name in a reply: the vendor answers an alias with the dated model behind it."""
    alias = model.startswith(("gpt-", "o")) and ":" not in model and not re.search(r"\d{4}-\d\d-\d\d$", model)
    return f"{model}-2024-08-06" if alias else model


def _choice(delta: Json, finish: str | None, escape: bool) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return dumps({"choices": [choice]}, escape=escape)[1:-1]


def _finish(reply: Reply) -> str | None:
    if reply.script.finish is not None:
        return reply.script.finish or None
    return "content_filter" if reply.script.filtered else "stop"


def _wants_usage(reply: Reply) -> bool:
    options = reply.ask.body.get("stream_options")
    return reply.script.usage and isinstance(options, dict) and options.get("include_usage") is True


def _usage(reply: Reply) -> Json:
    used, made = reply.input_tokens, reply.output_tokens
    spent = {"reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0}
    return {
        "prompt_tokens": used,
        "completion_tokens": made,
        "total_tokens": used + made,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": spent,
    }


def _kind(status: int) -> str:
    return "invalid_request_error" if status < 500 else "server_error"


def _bad(message: str, param: str | None, code: str | None = None) -> Refusal:
    return Refusal(400, message, "invalid_request_error", param, code)


def _bad_messages(messages: object) -> Refusal | None:
    if not isinstance(messages, list):
        return _bad("Missing required parameter: 'messages'.", "messages", "missing_required_parameter")
    if not messages:
        empty = "Expected an array with minimum length 1, but got an empty array instead."
        return _bad(f"Invalid 'messages': empty array. {empty}", "messages", "empty_array")
    for number, message in enumerate(messages):
        refusal = _bad_message(message, f"messages[{number}]")
        if refusal:
            return refusal
    return None


def _bad_message(message: object, where: str) -> Refusal | None:
    if not isinstance(message, dict):
        return _bad(f"Invalid type for '{where}': expected an object.", where, "invalid_type")
    role, content = message.get("role"), message.get("content")
    if role not in ROLES:
        names = ", ".join(f"'{name}'" for name in ROLES[:-1])
        wrong = f"Invalid value: '{role}'. Supported values are: {names}, and '{ROLES[-1]}'."
        return _bad(wrong, f"{where}.role", "invalid_value")
    if isinstance(content, str | list) or (role == "assistant" and message.get("tool_calls")):
        return None
    wrong = f"Invalid type for '{where}.content': expected one of a string or array of objects."
    return _bad(wrong, f"{where}.content", "invalid_type")


def _bad_parameters(ask: Ask) -> Refusal | None:
    body, temperature = ask.body, ask.body.get("temperature")
    if any(fnmatchcase(ask.model, pattern) for pattern in REASONING):
        if body.get("max_tokens") is not None:
            wrong = "Unsupported parameter: 'max_tokens' is not supported with this model. "
            return _bad(wrong + "Use 'max_completion_tokens' instead.", "max_tokens", "unsupported_parameter")
        if temperature not in (None, 1):
            wrong = f"Unsupported value: 'temperature' does not support {temperature} with this model. "
            return _bad(wrong + "Only the default (1) value is supported.", "temperature", "unsupported_value")
    if isinstance(temperature, int | float) and not 0 <= temperature <= 2:
        wrong = (
            f"Invalid 'temperature': decimal out of range. Expected a value from 0 to 2, but got {temperature} instead."
        )
        return _bad(wrong, "temperature", "decimal_above_max_value")
    if body.get("stream_options") is not None and not ask.stream:
        return _bad("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")
    for name in ("max_tokens", "max_completion_tokens"):
        if isinstance(body.get(name), int) and body[name] < 1:
            wrong = (
                f"Invalid '{name}': integer below minimum value. Expected a value >= 1, but got {body[name]} instead."
            )
            return _bad(wrong, name, "integer_below_min_value")
    return None
