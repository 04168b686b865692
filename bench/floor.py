"""A byte proxy: every request becomes the same question upstream, whose bytes come back as they are.

A bare ASGI function and aiohttp: it reads no JSON and no SSE, so it is what Python's own HTTP costs when nothing is
understood of what passes.
"""

from __future__ import annotations

import os
from typing import Any

import aiohttp

URL = os.environ["OPENAI_BASE_URL"] + "/chat/completions"
HEADERS = {"Authorization": "Bearer key", "Accept-Encoding": "identity"}
QUESTION = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello there."}], "stream": True}
START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]}

session: aiohttp.ClientSession | None = None


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    global session
    if session is None:
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=None)
        )
    while (await receive()).get("more_body"):
        pass
    async with session.post(URL, json=QUESTION, headers=HEADERS) as response:
        await send(START)
        async for data in response.content.iter_any():
            await send({"type": "http.response.body", "body": data, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
