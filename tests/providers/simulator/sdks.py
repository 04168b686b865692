"""The three vendors' unmodified SDKs, pointed to the simulator, asked in the same words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import openai
from google import genai

from tests.simulator import Simulator

VENDORS = ("openai", "anthropic", "gemini")
MODELS = {"openai": "gpt-4o", "anthropic": "claude-3-5-sonnet-latest", "gemini": "gemini-2.0-flash"}
OTHERS = {"openai": "gpt-4o-mini", "anthropic": "claude-3-5-haiku-latest", "gemini": "gemini-1.5-pro"}


def openai_sdk(simulator: Simulator, *, key: str = "any", timeout: float = 10) -> openai.OpenAI:
    return openai.OpenAI(api_key=key, base_url=simulator.base_url("openai"), max_retries=0, timeout=timeout)


def anthropic_sdk(
    simulator: Simulator, *, key: str = "any", timeout: float = 10, version: str = "2023-06-01"
) -> anthropic.Anthropic:
    return anthropic.Anthropic(
        api_key=key,
        base_url=simulator.base_url("anthropic"),
        max_retries=0,
        timeout=timeout,
        default_headers={"anthropic-version": version},
    )


def gemini_sdk(simulator: Simulator, *, key: str = "any", timeout: float = 10) -> genai.Client:
    options = {"base_url": simulator.base_url("gemini"), "timeout": int(timeout * 1000)}
    return genai.Client(api_key=key, http_options=options)


def stream(vendor: str, simulator: Simulator, prompt: str = "Hello", *, model: str = "", **how: Any) -> Iterator[str]:
    """The text of each chunk that brings some, as the vendor's SDK reports it."""
    model = model or MODELS[vendor]
    if vendor == "openai":
        for chunk in openai_sdk(simulator, **how).chat.completions.create(
            model=model, messages=[{"role": "user", "content": prompt}], stream=True
        ):
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content
    elif vendor == "anthropic":
        for event in anthropic_sdk(simulator, **how).messages.create(
            model=model, max_tokens=100, messages=[{"role": "user", "content": prompt}], stream=True
        ):
            if event.type == "content_block_delta" and event.delta.type == "text_delta":
                yield event.delta.text
    else:
        # The client has to outlive the stream: it closes its connections when it is collected.
        client = gemini_sdk(simulator, **how)
        for response in client.models.generate_content_stream(model=model, contents=prompt):
            if response.text:
                yield response.text


def complete(vendor: str, simulator: Simulator, prompt: str = "Hello", *, model: str = "", **how: Any) -> str:
    """The text of a reply in one piece."""
    model = model or MODELS[vendor]
    if vendor == "openai":
        completion = openai_sdk(simulator, **how).chat.completions.create(
            model=model, messages=[{"role": "user", "content": prompt}]
        )
        return completion.choices[0].message.content or ""
    if vendor == "anthropic":
        message = anthropic_sdk(simulator, **how).messages.create(
            model=model, max_tokens=100, messages=[{"role": "user", "content": prompt}]
        )
        return "".join(block.text for block in message.content if block.type == "text")
    client = gemini_sdk(simulator, **how)
    return client.models.generate_content(model=model, contents=prompt).text or ""
