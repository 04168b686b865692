"""The three vendors' unmodified SDKs, pointed to the simulator, asked in the same words."""

from __future__ import annotations

from collections.abc import Generator
from functools import cache
from typing import Any

import anthropic
import openai
from google import genai
from google.genai import types

from tests.simulator import Simulator

VENDORS = ("openai", "anthropic", "gemini")
MODELS = {"openai": "gpt-4o", "anthropic": "claude-3-5-sonnet-latest", "gemini": "gemini-2.0-flash"}


def openai_sdk(simulator: Simulator, *, key: str = "any", timeout: float = 10) -> openai.OpenAI:
    return _openai(simulator.base_url("openai"), key, timeout)


def anthropic_sdk(
    simulator: Simulator, *, key: str = "any", timeout: float = 10, version: str = "2023-06-01"
) -> anthropic.Anthropic:
    return _anthropic(simulator.base_url("anthropic"), key, timeout, version)


def gemini_sdk(simulator: Simulator, *, key: str = "any", timeout: float = 10) -> genai.Client:
    return _gemini(simulator.base_url("gemini"), key, timeout)


# A client takes longer to make than most tests to run.


@cache
def _openai(base_url: str, key: str, timeout: float) -> openai.OpenAI:
    return openai.OpenAI(api_key=key, base_url=base_url, max_retries=0, timeout=timeout)


@cache
def _anthropic(base_url: str, key: str, timeout: float, version: str) -> anthropic.Anthropic:
    headers = {"anthropic-version": version}
    return anthropic.Anthropic(api_key=key, base_url=base_url, max_retries=0, timeout=timeout, default_headers=headers)


@cache
def _gemini(base_url: str, key: str, timeout: float) -> genai.Client:
    options = types.HttpOptions(base_url=base_url, timeout=int(timeout * 1000))
    return genai.Client(api_key=key, http_options=options)


def stream(
    vendor: str, simulator: Simulator, prompt: str = "Hello", *, model: str = "", **how: Any
) -> Generator[str, None, None]:
    """The text of each chunk that brings some, as the vendor's SDK reports it."""
    model = model or MODELS[vendor]
    messages: Any = [{"role": "user", "content": prompt}]
    if vendor == "openai":
        with openai_sdk(simulator, **how).chat.completions.create(
            model=model, messages=messages, stream=True
        ) as chunks:
            for chunk in chunks:
                if chunk.choices and chunk.choices[0].delta.content:
                    yield chunk.choices[0].delta.content
    elif vendor == "anthropic":
        sdk = anthropic_sdk(simulator, **how)
        with sdk.messages.create(model=model, max_tokens=100, messages=messages, stream=True) as events:
            for event in events:
                if event.type == "content_block_delta" and event.delta.type == "text_delta":
                    yield event.delta.text
    else:
        for response in gemini_sdk(simulator, **how).models.generate_content_stream(model=model, contents=prompt):
            if response.text:
                yield response.text


def complete(vendor: str, simulator: Simulator, prompt: str = "Hello", *, model: str = "", **how: Any) -> str:
    """The text of a reply in one piece."""
    model = model or MODELS[vendor]
    messages: Any = [{"role": "user", "content": prompt}]
    if vendor == "openai":
        completion = openai_sdk(simulator, **how).chat.completions.create(model=model, messages=messages)
        return completion.choices[0].message.content or ""
    if vendor == "anthropic":
        message = anthropic_sdk(simulator, **how).messages.create(model=model, max_tokens=100, messages=messages)
        return "".join(block.text for block in message.content if block.type == "text")
    return gemini_sdk(simulator, **how).models.generate_content(model=model, contents=prompt).text or ""
