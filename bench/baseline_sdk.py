"""The usual way: FastAPI, and the official SDK's iterator. The same contract, with nothing stored."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Literal

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from openai import AsyncOpenAI
from pydantic import BaseModel, Field


class Message(BaseModel):
    role: Literal["user", "assistant", "system"]
    content: Annotated[str, Field(min_length=1, max_length=24_000)]


class Body(BaseModel):
    messages: Annotated[list[Message], Field(min_length=1, max_length=50)]


app = FastAPI()
client = AsyncOpenAI(max_retries=0)


@app.post("/chat/gpt")
async def chat(body: Body) -> StreamingResponse:
    messages = [{"role": message.role, "content": message.content} for message in body.messages]
    stream = await client.chat.completions.create(
        model="gpt-4o",
        messages=messages,
        temperature=0.3,
        max_tokens=8192,
        stream=True,  # type: ignore[arg-type]
    )

    async def events() -> AsyncIterator[str]:
        async for chunk in stream:
            if chunk.choices and (content := chunk.choices[0].delta.content):
                event = {"id": "gpt-1234567890", "delta": {"content": content, "model": "gpt-4o"}}
                yield f"data: {json.dumps(event)}\n\n"
        yield "data: [DONE]\n\n"

    return StreamingResponse(events(), media_type="text/event-stream", headers={"Cache-Control": "no-cache"})
