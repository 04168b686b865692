"""python ask.py <server> <conversation>: asks as chat.py does, prints the text as it comes, then what ended it."""

from __future__ import annotations

import json
import signal
import sys
import threading

import chat  # type: ignore[import-not-found]  # the piece, which is laid beside
import httpx

server, conversation = sys.argv[1:]


def say(value: object) -> None:
    print(json.dumps(value), flush=True)


def stop(*_: object) -> None:
    other = httpx.Client(base_url=server, trust_env=False)
    threading.Thread(target=chat.stop, args=(other, conversation)).start()


signal.signal(signal.SIGUSR1, stop)
with httpx.Client(base_url=server, timeout=60, trust_env=False) as client:
    try:
        for text in chat.ask(client, conversation, "Hello"):
            say(text)
        say(None)
    except chat.Refused as refused:
        say({"error": str(refused)})
