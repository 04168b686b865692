"""Anthropic's messages and models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from providers.simulator.scripts import Script
from providers.simulator.vendor import Ask, Json, Refusal, Reply, Route, dumps, objects, part_texts

MODELS = (
    "claude-3-5-sonnet-latest",
    "claude-3-5-haiku-latest",
    "claude-sonnet-4-5",
    "claude-haiku-4-5",
    "claude-opus-5-5",
    "claude-sonnet-5-5",
)
VERSIONS = ("2023-01-01", "2023-06-01", "2026-10-21")
SAMPLING = ("temperature", "top_p", "top_k")
KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}


class Anthropic:
    name = "anthropic"
    stream_type = "text/event-stream; charset=utf-8"
    json_type = "application/json"

    def route(self, method: str, path: str) -> Route:
        if method == "POST" and path == "/v1/messages":
            return Route("chat")
        if method == "GET" and path == "/v1/models":
            return Route("models")
        if method == "GET" and path.startswith("/v1/models/"):
            return Route("model", path.removeprefix("/v1/models/"))
        return Route()

    def has_key(self, headers: Mapping[str, str], query: Mapping[str, str]) -> bool:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        return bool(headers.get("x-api-key", "").strip()) or (scheme.lower() == "bearer" and bool(token.strip()))

    def read(self, route: Route, body: Json, headers: Mapping[str, str]) -> Ask:
        messages = objects(body.get("messages"))
        texts = part_texts(body.get("system"))
        texts += [text for message in messages for text in part_texts(message.get("content"))]
        users = [message for message in messages if message.get("role") == "user"]
        prompt = "\n".join(part_texts(users[-1].get("content"))) if users else ""
        return Ask(str(body.get("model") or ""), body.get("stream") is True, body, headers, texts, prompt)

    def refuse(self, ask: Ask) -> Refusal | None:
        return (
            _bad_version(ask.headers) or _bad_parameters(ask) or _bad_messages(ask.body["messages"]) or self._known(ask)
        )

    def _known(self, ask: Ask) -> Refusal | None:
        return None if self.model(ask.model) else self.unknown_model(ask.model)

    def unknown_model(self, name: str) -> Refusal:
        return Refusal(404, f"model: {name}")

    def models(self) -> Json:
        data = [self.model(name) for name in MODELS]
        return {"data": data, "has_more": False, "first_id": MODELS[0], "last_id": MODELS[-1]}

    def model(self, name: str) -> Json | None:
        if not name.startswith("claude-"):
            return None
        title = name.removeprefix("claude-").removesuffix("-latest").replace("-", " ").title()
        return {
            "type": "model",
            "id": dated(name),
            "display_name": f"Claude {title}",
            "created_at": "2024-10-22T00:00:00Z",
            "lifecycle": "active",
            "deprecated_at": None,
            "retires_at": None,
            "line": next((line for line in ("haiku", "sonnet", "opus") if line in name), None),
            "max_input_tokens": 200000,
            "max_tokens": 64000,
            "capabilities": None,
        }

    def headers(self, request_id: str) -> list[tuple[bytes, bytes]]:
        return [
            (b"request-id", b"req_" + request_id.encode()),
            (b"anthropic-organization-id", b"00000000-0000-4000-8000-000000000000"),
        ]

    def error(self, refusal: Refusal, request_id: str) -> Json:
        kind = refusal.kind or KINDS.get(refusal.status) or ("api_error" if refusal.status >= 500 else KINDS[400])
        detail = {"type": kind, "message": refusal.message}
        return {"type": "error", "error": detail, "request_id": f"req_{request_id}"}

    def error_frame(self, refusal: Refusal, request_id: str) -> bytes:
        return _event("error", self.error(refusal, request_id))

    def opening(self, reply: Reply) -> bytes:
        usage = {"usage": {**_usage(reply, 1), "service_tier": "standard"}} if reply.script.usage else {}
        message = {**self._message(reply), "content": [], "stop_reason": None, **usage}
        block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
        frames = [_event("message_start", {"type": "message_start", "message": message})]
        if reply.deltas:
            frames.append(_event("content_block_start", block))
        return b"".join(frames) + _event("ping", {"type": "ping"})

    def around(self, reply: Reply) -> tuple[bytes, bytes]:
        return b"event: content_block_delta\ndata: ", b"\n\n"

    def bodies(self, deltas: Sequence[str], script: Script) -> list[bytes]:
        start = {"type": "content_block_delta", "index": 0}
        texts = [{**start, "delta": {"type": "text_delta", "text": delta}} for delta in deltas]
        return [dumps(text, escape=script.ascii) for text in texts]

    def closing(self, reply: Reply) -> bytes:
        frames = [_event("content_block_stop", {"type": "content_block_stop", "index": 0})] if reply.deltas else []
        delta = {"stop_reason": _finish(reply), "stop_sequence": None, "stop_details": _details(reply)}
        usage = {"usage": _usage(reply, reply.output_tokens)} if reply.script.usage else {}
        frames.append(_event("message_delta", {"type": "message_delta", "delta": delta, **usage}))
        return b"".join(frames) + _event("message_stop", {"type": "message_stop"})

    def whole(self, reply: Reply) -> Json:
        content = [{"type": "text", "text": reply.text}] if reply.deltas else []
        counts = {**_usage(reply, reply.output_tokens), "service_tier": "standard"}
        usage = {"usage": counts} if reply.script.usage else {}
        return {**self._message(reply), "content": content, "stop_reason": _finish(reply), **usage}

    def _message(self, reply: Reply) -> Json:
        return {
            "model": dated(reply.ask.model),
            "id": f"msg_{reply.id}",
            "type": "message",
            "role": "assistant",
            "stop_sequence": None,
            "stop_details": _details(reply) if not reply.ask.stream else None,
        }


def dated(model: str) -> str:
    """The name in a reply: the vendor answers an alias with the dated model behind it."""
    return model.removesuffix("-latest") + "-20241022" if model.endswith("-latest") else model


def _event(name: str, data: Json) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + dumps(data) + b"\n\n"


def _finish(reply: Reply) -> str | None:
    if reply.script.finish is not None:
        return reply.script.finish or None
    return "refusal" if reply.filtered else "end_turn"


def _details(reply: Reply) -> Json | None:
    if not reply.filtered:
        return None
    explanation = reply.script.refusal or "The simulator was asked to refuse."
    return {"type": "refusal", "category": "general_harms", "explanation": explanation}


def _usage(reply: Reply, output_tokens: int) -> Json:
    return {
        "input_tokens": reply.input_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": output_tokens,
    }


def _bad(message: str) -> Refusal:
    return Refusal(400, message)


def _bad_version(headers: Mapping[str, str]) -> Refusal | None:
    version = headers.get("anthropic-version")
    if not version:
        return _bad("anthropic-version: header is required")
    return None if version in VERSIONS else _bad(f'anthropic-version: "{version}" is not a valid version')


def _bad_parameters(ask: Ask) -> Refusal | None:
    body, version = ask.body, ask.headers["anthropic-version"]
    for name in ("model", "messages", "max_tokens"):
        if body.get(name) is None:
            return _bad(f"{name}: Field required")
    if not isinstance(body["max_tokens"], int) or body["max_tokens"] < 1:
        return _bad("max_tokens: must be greater than or equal to 1")
    for name in SAMPLING if version == "2026-10-21" else ():
        if body.get(name) is not None:
            return _bad(f"{name}: sampling parameters are not supported in API version {version}")
    temperature = body.get("temperature")
    if temperature is not None and not (isinstance(temperature, int | float) and 0 <= temperature <= 1):
        return _bad("temperature: range: 0..1")
    if isinstance(body.get("system"), list) and not all(part_texts(body["system"])):
        return _bad("system: text content blocks must be non-empty")
    return None


def _bad_messages(messages: object) -> Refusal | None:
    if not isinstance(messages, list) or not messages:
        return _bad("messages: at least one message is required")
    for number, message in enumerate(messages):
        refusal = _bad_message(message, number, final=number == len(messages) - 1)
        if refusal:
            return refusal
    roles = [message["role"] for message in messages]
    if roles[0] != "user":
        return _bad('messages: first message must use the "user" role')
    for before, after in pairwise(roles):
        if before == after:
            wrong = 'messages: roles must alternate between "user" and "assistant", but found multiple '
            return _bad(f'{wrong}"{after}" roles in a row')
    return None


def _bad_message(message: object, number: int, *, final: bool) -> Refusal | None:
    role = message.get("role") if isinstance(message, dict) else None
    if role == "system":
        return _bad(
            'messages: Unexpected role "system". The Messages API accepts a top-level `system` parameter, '
            'not "system" as an input message role.'
        )
    if role not in ("user", "assistant") or not isinstance(message, dict):
        return _bad(f"messages.{number}.role: Input should be 'user' or 'assistant'")
    content = message.get("content")
    if not isinstance(content, str | list):
        return _bad(f"messages.{number}.content: Field required")
    return _bad_text(content, number, final=final and role == "assistant")


def _bad_text(content: str | list[object], number: int, *, final: bool) -> Refusal | None:
    """Empty and white texts are refused. A final answer to continue may be empty, but not end in white space."""
    if not content:
        wrong = "all messages must have non-empty content except for the optional final assistant message"
        return None if final else _bad(f"messages.{number}: {wrong}")
    texts = part_texts(content)
    if not all(texts):
        return _bad("messages: text content blocks must be non-empty")
    if not all(text.strip() for text in texts):
        return _bad("messages: text content blocks must contain non-whitespace text")
    if final and texts and texts[-1] != texts[-1].rstrip():
        return _bad("messages: final assistant content cannot end with trailing whitespace")
    return None
