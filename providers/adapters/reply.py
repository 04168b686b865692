"""What the three adapters share: from a vendor's bytes to our events, one `Delta` a read.

An adapter brings the way to open its stream, `from_wire` for one event of it, and `translate` for its errors.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, suppress

import msgspec

from providers.adapters.http import Body
from providers.base import Push, keep
from providers.errors import Disconnected, EmptyReply, Filtered, Malformed, ProviderError
from providers.events import Delta, Event, Finish, Usage
from providers.text import Text
from providers.wire import SSEDecoder

logger = logging.getLogger("providers")

READS_A_TURN = 64
"""After so many reads the event loop gets its turn, should a vendor's bytes always be there already."""

DRAIN_SECONDS = 0.25
"""How long the end of the response is waited for after the end of the reply: then its connection can be used again."""


class Part(msgspec.Struct):
    """What one event of the vendor's stream says. A struct, because one is made per chunk.

    told: whether there is more than text
    done: the vendor's word that nothing more comes
    """

    text: str = ""
    told: bool = False
    input_tokens: int | None = None
    output_tokens: int | None = None
    finish: Finish | None = None
    done: bool = False
    error: ProviderError | None = None


class Reply:
    """All that one stream has told so far.

    unsaid: text that was not pushed, to be yielded before anything else
    """

    def __init__(self, vendor: str, from_wire: Callable[[bytes], Part], push: Push = keep) -> None:
        self._vendor = vendor
        self._from_wire = from_wire
        self._push = push
        self._decoder = SSEDecoder()
        self._text = Text()
        self._is_protocol = False
        self._has_bytes = False
        self._has_text = False
        self._input_tokens: int | None = None
        self._output_tokens: int | None = None
        self._finish: Finish | None = None
        self.unsaid = ""
        self.done = False
        self.error: ProviderError | None = None

    def take(self, data: bytes) -> bool:
        """One read. False where something is to be done about it: there is text to yield, an error or the end."""
        self._has_bytes = True
        pieces: list[str] = []
        try:
            events = self._decoder.feed(data)
            if events:
                self._is_protocol = True
            for _, payload in events:
                part = self._from_wire(payload)
                if part.text:
                    pieces.append(part.text)
                if part.told:
                    self._note(part)
        except ProviderError as error:
            self.error = error  # what came before it in the same read is not lost
        if pieces and (text := self._text.add(pieces[0] if len(pieces) == 1 else "".join(pieces))):
            self._has_text = True
            if not self._push(text):
                self.unsaid = text
                return False
        return not self.done and self.error is None

    def end(self) -> list[Event]:
        """What follows the last read. Raises Malformed, EmptyReply, Filtered or Disconnected where no reply ended."""
        rest = self._text.end()
        if not self._has_text and not rest:
            raise self._without_text()
        if self._finish is None and not self.done:
            raise Disconnected(f"{self._vendor} broke off before the end of its reply.")
        events: list[Event] = [Delta(rest)] if rest else []
        if self._input_tokens is not None and self._output_tokens is not None:
            events.append(Usage(self._input_tokens, self._output_tokens))
        finish = self._finish or Finish(None, None)
        if finish.reason is None:
            logger.info("%s ended a reply with the unknown reason %.64r", self._vendor, finish.raw)
        return [*events, finish]

    def _note(self, part: Part) -> None:
        if part.input_tokens is not None:
            self._input_tokens = part.input_tokens
        if part.output_tokens is not None:
            self._output_tokens = part.output_tokens
        # What was filtered stays so: OpenAI ends a refusal with `stop`.
        if part.finish is not None and (self._finish is None or self._finish.reason != "content_filter"):
            self._finish = part.finish
        self.done = self.done or part.done
        if part.error is not None:
            raise part.error

    def _without_text(self) -> ProviderError:
        if self._has_bytes and not self._is_protocol:
            return Malformed(f"{self._vendor} sent something that is not its protocol.")
        if self._finish is not None and self._finish.reason == "content_filter":
            return Filtered(f"{self._vendor} refused or filtered its reply.")
        return EmptyReply(f"{self._vendor} ended its reply without text.")


async def read(
    reply: Reply,
    opening: AbstractAsyncContextManager[Body],
    translate: Callable[[Exception, bool], ProviderError],
) -> AsyncGenerator[Event, None]:
    """Yield the reply's events.

    opening:   makes the request, gives its answer, and closes that however this ends
    translate: an exception, and whether the vendor had begun to answer -> ours
    """
    opened = False
    reads = 0
    try:
        async with opening as body:
            opened = True
            while await body.read(reply.take):
                if reply.unsaid:
                    text, reply.unsaid = reply.unsaid, ""
                    yield Delta(text)
                if reply.error is not None:
                    raise reply.error
                if reply.done:
                    break
                reads += 1
                if reads % READS_A_TURN == 0:
                    await asyncio.sleep(0)
            if reply.done:
                await _drain(body)
    except ProviderError:
        raise
    except Exception as error:  # noqa: BLE001 - a boundary: an SDK and its transports may raise anything
        raise translate(error, opened) from None
    for event in reply.end():
        yield event


async def _drain(body: Body) -> None:
    """Read on to the end of the response. Whatever goes wrong: the reply is complete, only its connection is lost."""
    with suppress(Exception):
        async with asyncio.timeout(DRAIN_SECONDS):
            await body.read(lambda _: True)
