"""One reply's way from the vendor into its buffer, and what is known of it at the end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace

from conversations.generations.buffer import Buffer, Ending, Tally
from conversations.models import Status
from conversations.store.endings import Tried
from providers import estimates
from providers.base import Provider
from providers.errors import AllModelsFailed, NotConfigured, ProviderError, Unanswerable
from providers.events import Attempted, Delta, Finish, Serving, Usage
from providers.messages import CompletionRequest

MAX_REPLY_LENGTH = 2_000_000
"""Code points. No model says so much; a vendor that never stops must not fill our memory."""

MAX_TOKENS = 2**31 - 1
"""The most that a column takes. Some vendors' servers count -1 where they do not know."""

UNEXPECTED = "An unexpected error ended the reply."

log = logging.getLogger("conversations.generations")


class Production:
    """Reads a provider's stream to its end.

    stopped: set to take no more text
    Times are milliseconds from the moment the vendor was first asked.
    """

    __slots__ = (
        "_asked_at",
        "_on_text",
        "attempts",
        "buffer",
        "duration_ms",
        "finish",
        "request",
        "serving",
        "stopped",
        "time_to_first_token_ms",
        "usage",
    )

    def __init__(self, buffer: Buffer, on_text: Callable[[], None]) -> None:
        self.buffer = buffer
        self._on_text = on_text
        self._asked_at = 0.0
        self.stopped = False
        self.attempts: list[Tried] = []
        self.serving: Serving | None = None
        self.usage: Usage | None = None
        self.finish: Finish | None = None
        self.request: CompletionRequest | None = None
        self.time_to_first_token_ms: int | None = None
        self.duration_ms: int | None = None

    async def run(self, source: Provider, request: CompletionRequest) -> Ending:
        """Read it all; what goes wrong becomes an ending. A cancellation passes through, its time noted."""
        self.request = request
        self._asked_at = time.monotonic()
        try:
            await self._read(source, request)
        except ProviderError as error:
            return self._failed(error)
        except asyncio.CancelledError:
            self._close("cancelled")
            raise
        except Exception:
            # The boundary of a reply: whatever broke, its clients and its row get an end.
            log.exception("generation broke", extra={"event": "generation_broke"})
            self._close("failed", UNEXPECTED)
            return Ending(Status.FAILED, UNEXPECTED, 500)
        self._close("complete")
        return Ending(Status.COMPLETE)

    async def _read(self, source: Provider, request: CompletionRequest) -> None:
        async with aclosing(source.stream(request, self._push)) as events:
            async for event in events:
                if type(event) is not Delta:
                    self._note(event)
                elif not self._push(event.text):
                    self._refuse(event.text)

    def _push(self, text: str) -> bool:
        """Take new text, perhaps outside of our task; False where it is for the task to end the reply."""
        if self.stopped or self.buffer.position + len(text) > MAX_REPLY_LENGTH:
            return False
        self.buffer.append(text)
        self._on_text()
        return True

    def _refuse(self, text: str) -> None:
        if self.stopped:
            raise asyncio.CancelledError  # the cancellation itself may have been swallowed on its way
        self.buffer.append(text)
        raise ProviderError("The model's reply is longer than any reply may be.")

    def _note(self, event: Attempted | Serving | Usage | Finish | Delta) -> None:
        match event:
            case Attempted():
                self.attempts.append(
                    Tried(event.provider, event.model, event.outcome, event.status, event.error, event.duration_ms)
                )
            case Serving():
                self.serving = event
                self.buffer.model = event.model
                self.time_to_first_token_ms = self._elapsed_ms()
            case Usage():
                self.usage = event
            case Finish():
                self.finish = event

    def _failed(self, error: ProviderError) -> Ending:
        self._close(error.kind, str(error), error.status)
        match error:
            case AllModelsFailed():
                return Ending(Status.FAILED, str(error), 504 if error.timed_out else 500)
            case Unanswerable():
                return Ending(Status.FAILED, str(error), 400)
            case NotConfigured():
                return Ending(Status.FAILED, str(error), 500)
        return Ending(Status.FAILED, str(error), 500)

    def _close(self, outcome: str, error: str = "", status: int | None = None) -> None:
        """The attempt that brought text ends with the reply; those that brought none have been told as events."""
        self.duration_ms = self._elapsed_ms()
        if self.serving is not None:
            serving = self.serving
            self.attempts.append(Tried(serving.provider, serving.model, outcome, status, error, self.duration_ms))

    def _elapsed_ms(self) -> int:
        return round((time.monotonic() - self._asked_at) * 1000)

    def tally(self) -> Tally | None:
        """What the reply used; None where no model was ever heard of."""
        if self.usage is not None:
            return Tally(_bounded(self.usage.input_tokens), _bounded(self.usage.output_tokens), estimated=False)
        if self.serving is None or self.request is None:
            return None
        estimated = estimates.usage(self.request, self.buffer.text)
        return Tally(estimated.input_tokens, estimated.output_tokens, estimated=True)

    def told(self, ending: Ending) -> Ending:
        """The ending with what the model said of it."""
        return replace(ending, finish_reason=self.finish.reason if self.finish else None, tally=self.tally())


def _bounded(tokens: int) -> int:
    return min(max(tokens, 0), MAX_TOKENS)
