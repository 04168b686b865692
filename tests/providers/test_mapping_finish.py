"""Every word that an SDK knows for the end of a reply, and none guessed."""

from __future__ import annotations

import json
from typing import get_args

import pytest
from anthropic.types import StopReason
from google.genai import types
from openai.types.chat.chat_completion_chunk import Choice

from providers.adapters import anthropic, gemini, openai
from providers.events import Finish
from tests.providers.rawvendor import DELTAS, finish_of, reply_to

OPENAI = {
    "stop": "stop", "length": "length", "tool_calls": "tool_call", "function_call": "tool_call",
    "content_filter": "content_filter",
}  # fmt: skip
ANTHROPIC = {
    "end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "model_context_window_exceeded": "length",
    "tool_use": "tool_call", "refusal": "content_filter", "pause_turn": None,
}  # fmt: skip
GEMINI = {
    "STOP": "stop", "MAX_TOKENS": "length", "CONTINUATION": "length",
    **dict.fromkeys([
        "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION", "ESCALATION", "PUP_LIMITED_DISABLED", "MODEL_ARMOR",
    ], "content_filter"),
    **dict.fromkeys([
        "FINISH_REASON_UNSPECIFIED", "LANGUAGE", "OTHER", "MALFORMED_FUNCTION_CALL", "IMAGE_OTHER", "NO_IMAGE",
        "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE", "MALFORMED_RESPONSE",
    ]),
}  # fmt: skip


def event(value: object) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def test_the_words_are_those_of_the_sdks() -> None:
    annotation = Choice.model_fields["finish_reason"].annotation
    openais = {word for part in get_args(annotation) for word in get_args(part)}
    words = openais, set(get_args(StopReason)), {reason.value for reason in types.FinishReason}
    assert words == (set(OPENAI), set(ANTHROPIC), set(GEMINI))


@pytest.mark.parametrize(("word", "reason"), [*OPENAI.items(), ("tomorrow's word", None)])
def test_it_knows_openais_words(word: str, reason: str | None) -> None:
    payload = json.dumps({"choices": [{"delta": {}, "finish_reason": word}]}).encode()
    assert openai.from_wire(payload).finish == Finish(reason, word)  # type: ignore[arg-type]


@pytest.mark.parametrize(("word", "reason"), [*ANTHROPIC.items(), ("tomorrow's word", None)])
def test_it_knows_anthropics_words(word: str, reason: str | None) -> None:
    payload = json.dumps({"type": "message_delta", "delta": {"stop_reason": word}}).encode()
    assert anthropic.from_wire(payload).finish == Finish(reason, word)  # type: ignore[arg-type]


@pytest.mark.parametrize(("word", "reason"), [*GEMINI.items(), ("TOMORROWS_WORD", None)])
def test_it_knows_geminis_words(word: str, reason: str | None) -> None:
    payload = json.dumps({"candidates": [{"finishReason": word}]}).encode()
    assert gemini.from_wire(payload).finish == Finish(reason, word)  # type: ignore[arg-type]


@pytest.mark.parametrize("blocked", [reason.value for reason in types.BlockedReason])
def test_it_knows_a_blocked_prompt(blocked: str) -> None:
    payload = json.dumps({"promptFeedback": {"blockReason": blocked}}).encode()
    assert gemini.from_wire(payload).finish == Finish("content_filter", blocked)


async def test_it_logs_a_word_it_does_not_know(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "providers")
    end = event({"choices": [{"delta": {}, "finish_reason": "tomorrow's word"}]})
    events = await reply_to("openai", DELTAS["openai"] % b"a" + end)
    assert finish_of(events) == Finish(None, "tomorrow's word")
    assert "tomorrow's word" in caplog.text
