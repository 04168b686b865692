"""Token counts for a stream that was cut before the vendor gave its own. Whoever stores them flags them `estimated`."""

from __future__ import annotations

from providers.events import Usage
from providers.messages import CompletionRequest

BYTES_PER_TOKEN = 4


def tokens(*texts: str) -> int:
    """About as many tokens as the texts would be for any of the vendors: UTF-8 bytes / 4, rounded up."""
    # Python's half surrogates have no UTF-8 of their own; an estimate must not fail for them.
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
    return -(-size // BYTES_PER_TOKEN)


def usage(request: CompletionRequest, reply: str) -> Usage:
    """What a request and the text of its reply, perhaps a part, may have cost."""
    asked = tokens(request.instructions, *(message.content for message in request.messages))
    return Usage(input_tokens=asked, output_tokens=tokens(reply))
