"""Gemini's generateContent, streamGenerateContent and models, as the developer API answers them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from providers.simulator.scripts import Script
from providers.simulator.vendor import Ask, Json, Refusal, Reply, Route, dumps, objects, part_texts

MODELS = ("gemini-2.0-flash", "gemini-1.5-pro", "gemini-2.5-flash", "gemini-2.5-pro")
METHODS = ("generateContent", "streamGenerateContent")
PATH = re.compile(r"/v1(?:beta|alpha)?/(?:models|tunedModels)/(?P<model>[^/:]+)(?::(?P<method>\w+))?")
FIELDS = {"contents", "systemInstruction", "generationConfig", "safetySettings", "tools", "toolConfig"}
RARE_FIELDS = {"cachedContent", "model", "labels", "store", "serviceTier"}
STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class Gemini:
    name = "gemini"
    stream_type = "text/event-stream"
    json_type = "application/json; charset=UTF-8"

    def route(self, method: str, path: str) -> Route:
        if method == "GET" and re.fullmatch(r"/v1(beta|alpha)?/models", path):
            return Route("models")
        found = PATH.fullmatch(path)
        if found and method == "GET" and not found["method"]:
            return Route("model", found["model"])
        if found and method == "POST" and found["method"] in METHODS:
            return Route("chat", found["model"], found["method"] == METHODS[1])
        return Route()

    def has_key(self, headers: Mapping[str, str], query: Mapping[str, str]) -> bool:
        return bool((headers.get("x-goog-api-key") or query.get("key") or headers.get("authorization") or "").strip())

    def read(self, route: Route, body: Json, headers: Mapping[str, str]) -> Ask:
        contents = objects(body.get("contents"))
        instruction = body.get("systemInstruction") or body.get("system_instruction")
        texts = part_texts(instruction.get("parts")) if isinstance(instruction, dict) else []
        texts += [text for content in contents for text in part_texts(content.get("parts"))]
        users = [content for content in contents if content.get("role", "user") == "user"]
        prompt = "\n".join(part_texts(users[-1].get("parts"))) if users else ""
        return Ask(route.model, bool(route.stream), body, headers, texts, prompt)

    def refuse(self, ask: Ask) -> Refusal | None:
        if not self.model(ask.model):
            return self.unknown_model(ask.model)
        return _bad_fields(ask.body) or _bad_contents(ask.body.get("contents")) or _bad_config(ask.body)

    def unknown_model(self, name: str) -> Refusal:
        return Refusal(
            404,
            f"models/{name} is not found for API version v1beta, or is not supported for generateContent. "
            "Call ListModels to see the list of available models and their supported methods.",
        )

    def models(self) -> Json:
        return {"models": [self.model(name) for name in MODELS]}

    def model(self, name: str) -> Json | None:
        if not name.startswith(("gemini-", "gemma-", "learnlm-")):
            return None
        return {
            "name": f"models/{name}",
            "version": "2.0",
            "displayName": name.replace("-", " ").title(),
            "description": f"The simulator standing in for {name}",
            "inputTokenLimit": 1048576,
            "outputTokenLimit": 8192,
            "supportedGenerationMethods": ["generateContent", "countTokens"],
            "temperature": 1,
            "topP": 0.95,
            "topK": 40,
            "maxTemperature": 2,
        }

    def headers(self, request_id: str) -> list[tuple[bytes, bytes]]:
        return [
            (b"vary", b"Origin, X-Origin, Referer"),
            (b"server", b"scaffolding on HTTPServer2"),
            (b"x-content-type-options", b"nosniff"),
        ]

    def error(self, refusal: Refusal, request_id: str) -> Json:
        status = refusal.kind or STATUSES.get(refusal.status, "UNKNOWN")
        return {"error": {"code": refusal.status, "message": refusal.message, "status": status}}

    def error_frame(self, refusal: Refusal, request_id: str) -> bytes:
        return b"data: " + dumps(self.error(refusal, request_id)) + b"\r\n\r\n"

    def opening(self, reply: Reply) -> bytes:
        """Nothing: this vendor's first frame carries text."""
        return b""

    def around(self, reply: Reply) -> tuple[bytes, bytes]:
        return b"data: ", b"," + dumps(_common(reply))[1:] + b"\r\n\r\n"

    def bodies(self, deltas: Sequence[str], script: Script) -> list[bytes]:
        candidates = [{"candidates": [_candidate(delta)]} for delta in deltas]
        return [dumps(candidate, escape=script.ascii)[:-1] for candidate in candidates]

    def closing(self, reply: Reply) -> bytes:
        return b"data: " + dumps(self._last(reply, "")) + b"\r\n\r\n"

    def whole(self, reply: Reply) -> Json:
        return self._last(reply, reply.text)

    def _last(self, reply: Reply, text: str) -> Json:
        """The frame that ends a reply; without any text a filtered one has no candidate, but says why."""
        usage = {"usageMetadata": _usage(reply)} if reply.script.usage else {}
        if reply.filtered and not reply.deltas and reply.script.finish is None:
            return {"promptFeedback": {"blockReason": "SAFETY"}, **usage, **_common(reply)}
        candidate = _candidate(text)
        if reply.filtered and not text:
            del candidate["content"]
        finish = _finish(reply)
        if finish:
            candidate["finishReason"] = finish
        return {"candidates": [candidate], **usage, **_common(reply)}


def _candidate(text: str) -> Json:
    return {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}


def _common(reply: Reply) -> Json:
    return {"modelVersion": reply.ask.model, "responseId": reply.id}


def _finish(reply: Reply) -> str | None:
    if reply.script.finish is not None:
        return reply.script.finish or None
    return "SAFETY" if reply.filtered else "STOP"


def _usage(reply: Reply) -> Json:
    used, made = reply.input_tokens, reply.output_tokens
    return {
        "promptTokenCount": used,
        "candidatesTokenCount": made,
        "totalTokenCount": used + made,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": used}],
        "candidatesTokensDetails": [{"modality": "TEXT", "tokenCount": made}],
    }


def _bad(message: str) -> Refusal:
    return Refusal(400, message)


def _bad_fields(body: Json) -> Refusal | None:
    for name in body:
        if _camel(name) not in FIELDS | RARE_FIELDS:
            return _bad(f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.')
    return None


def _camel(name: str) -> str:
    """Both spellings are taken."""
    return re.sub("_([a-z])", lambda found: found[1].upper(), name)


def _bad_contents(contents: object) -> Refusal | None:
    if not isinstance(contents, list) or not contents:
        return _bad("* GenerateContentRequest.contents: contents is not specified\n")
    for number, content in enumerate(contents):
        refusal = _bad_content(content, f"* GenerateContentRequest.contents[{number}]")
        if refusal:
            return refusal
    if contents[0].get("role", "user") != "user":
        return _bad(
            "Please ensure that multiturn requests start with a user turn and alternate between user and model."
        )
    return None


def _bad_content(content: object, where: str) -> Refusal | None:
    if not isinstance(content, dict) or content.get("role", "user") not in ("user", "model", "function"):
        return _bad("Please use a valid role: user, model.")
    parts = content.get("parts")
    if not isinstance(parts, list) or not parts:
        return _bad(f"{where}.parts: contents.parts must not be empty.\n")
    for number, part in enumerate(parts):
        if not isinstance(part, dict) or not any(part.values()):
            return _bad(f"{where}.parts[{number}].data: required oneof field 'data' must have one initialized field\n")
    return None


def _bad_config(body: Json) -> Refusal | None:
    config = body.get("generationConfig") or body.get("generation_config") or {}
    temperature = config.get("temperature") if isinstance(config, dict) else None
    if isinstance(temperature, int | float) and not 0 <= temperature <= 2:
        return _bad("* GenerateContentRequest.generation_config.temperature: must be in the range [0.0, 2.0].\n")
    return None
