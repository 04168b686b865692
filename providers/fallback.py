"""Several models that look like one provider: the next one answers where one fails before its first delta.

After the first delta a failure is the reader's to know: to begin again would show two beginnings.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from providers.attempts import Attempt
from providers.base import Provider, Push, keep
from providers.breaker import Breaker
from providers.deadlines import Deadline
from providers.errors import AllModelsFailed, EmptyReply, Filtered, ProviderError, TimedOut, VendorFailed
from providers.events import Attempted, Delta, Event, Finish, Serving
from providers.messages import CompletionRequest

logger = logging.getLogger(__name__)

TIMER_SLACK = 0.005
"""Seconds by which an event loop's timer may be early (uvloop counts milliseconds): the time is up all the same."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that may be asked. `source` takes the name of the model from the request."""

    provider: str
    model: str
    source: Provider

    @property
    def key(self) -> tuple[str, str]:
        return self.provider, self.model


class Fallback:
    """Asks one candidate after the other until one brings text.

    candidates: groups in the order of asking; a group is one provider's default and fallback model
    timeout:    seconds for the wait for the first delta over all of them, and for the silence between two deltas
    clock:      monotonic seconds, for what is told of an attempt
    """

    def __init__(
        self,
        candidates: Sequence[Sequence[Candidate]],
        *,
        timeout: float,
        breaker: Breaker,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._groups = candidates
        self._timeout = timeout
        self._breaker = breaker
        self._clock = clock

    async def stream(self, request: CompletionRequest, push: Push = keep) -> AsyncGenerator[Event, None]:
        """Yield `Attempted` for every failed try, `Serving`, then the events of the model that answers.

        Raises AllModelsFailed before the first delta; the model's own `ProviderError` after it, and at any time one
        that no other model would better (`retryable` is False).
        """
        failures: list[Attempted] = []
        end = asyncio.get_running_loop().time() + self._timeout
        for candidate, seconds in self._shares(end):
            attempt = Attempt(candidate.provider, candidate.model, self._breaker, self._clock)
            question = replace(request, model=candidate.model)
            deadline = Deadline(seconds)
            relay = _Relay(push, deadline)
            try:
                async with deadline, aclosing(candidate.source.stream(question, relay)) as events:
                    opening = await _opening(events)
                    deadline.pause()
                    attempt.answered()
                    yield Serving(candidate.provider, candidate.model)
                    for event in opening:
                        yield event
                    deadline.roll(self._timeout)
                    relay.is_open = True
                    async for event in events:
                        deadline.pause()
                        yield event
                        deadline.touch()
                attempt.completed()
                return
            except Exception as raised:  # noqa: BLE001  (a boundary: a bug in one adapter must not stop the next)
                error = _in_our_words(raised, self._timeout if attempt.has_text else seconds)
                failure = attempt.failed(error)
            finally:
                attempt.closed()
            if attempt.has_text or not error.retryable:
                raise error
            failures.append(failure)
            yield failure
        raise self._all_failed(failures, end)

    def _shares(self, end: float) -> Iterator[tuple[Candidate, float]]:
        """The candidates worth asking and their seconds, reckoned anew from what is left when each one's turn comes.

        A group but the last gets half of what is left, and in it so does a model but the last. One that hangs thus
        leaves time for the next, and one that fails at once leaves nearly all of its own.
        """
        now = asyncio.get_running_loop().time
        groups, all_open = self._worth_asking()
        for group in groups:
            group_end = end if group is groups[-1] else (now() + end) / 2
            for candidate in group:
                left = group_end - now()
                if left <= TIMER_SLACK:
                    break
                if self._breaker.begin(candidate.key) or all_open:
                    yield candidate, left if candidate is group[-1] else left / 2

    def _worth_asking(self) -> tuple[list[list[Candidate]], bool]:
        """The groups without the models whose circuit is open, which get none of the time; all where none is closed."""
        state = {candidate.key: self._breaker.state(candidate.key) for group in self._groups for candidate in group}
        all_open = "closed" not in state.values()
        groups = [[one for one in group if all_open or state[one.key] != "open"] for group in self._groups]
        return [group for group in groups if group], all_open

    def _all_failed(self, failures: Sequence[Attempted], end: float) -> AllModelsFailed:
        tried = {(failure.provider, failure.model) for failure in failures}
        skipped = [one.model for group in self._groups for one in group if one.key not in tried]
        time_is_up = asyncio.get_running_loop().time() >= end - TIMER_SLACK
        return AllModelsFailed(_summary(failures, skipped), attempts=failures, timed_out=time_is_up)


class _Relay:
    """A `Push` that lets through what the model says that answers, once that has been told."""

    __slots__ = ("_deadline", "_push", "is_open")

    def __init__(self, push: Push, deadline: Deadline) -> None:
        self._push = push
        self._deadline = deadline
        self.is_open = False

    def __call__(self, text: str) -> bool:
        if not self.is_open or not self._push(text):
            return False
        self._deadline.heard()
        return True


async def _opening(events: AsyncIterator[Event]) -> list[Event]:
    """The first delta, and after it what had been told before it. Raises EmptyReply or Filtered if it never comes."""
    early: list[Event] = []
    async for event in events:
        if isinstance(event, Delta):
            return [event, *early]
        early.append(event)
    if any(isinstance(event, Finish) and event.reason == "content_filter" for event in early):
        raise Filtered("The reply was refused or filtered.")
    raise EmptyReply("The reply ended without text.")


def _in_our_words(error: Exception, seconds: float) -> ProviderError:
    """The error as one of ours, safe to show. One that no adapter has named is a bug: the log has its traceback."""
    if isinstance(error, ProviderError):
        return error
    if isinstance(error, TimeoutError):
        return TimedOut(f"Nothing came within {seconds:.3g} seconds.")
    logger.error("an adapter let an unknown error through", exc_info=error)
    return VendorFailed("The provider failed in an unexpected way.")


def _summary(failures: Sequence[Attempted], skipped: Sequence[str]) -> str:
    """One sentence or two a person can act on: which models, and what went wrong with each."""
    if not failures:
        return "The request failed: no model could be asked in time."
    count = {1: "The model", 2: "Both models"}.get(len(failures), f"All {len(failures)} models")
    each = ", ".join(f"{failure.model} ({failure.outcome.replace('_', ' ')})" for failure in failures)
    text = f"{count} failed: {each}."
    if all(failure.outcome == Filtered.kind for failure in failures):
        text += " The reply was refused or filtered every time."
    if skipped:
        text += f" Not tried: {', '.join(skipped)}."
    return text
