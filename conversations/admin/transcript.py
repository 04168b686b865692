"""A conversation as a chat: what the templates need to know of each bubble, and of the page they stand on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.http import QueryDict
from django.utils.html import format_html
from django.utils.safestring import SafeString

from conversations import prices
from conversations.admin.markdown import render
from conversations.models import Attempt, Conversation, Message, Status
from conversations.store import transcripts
from conversations.store.transcripts import Transcript

RENDERED = 300_000
"""Code points of a page that are rendered; what comes after them is shown as it is, so that no page takes long."""

KEY = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Bubble:
    """One message. `place` counts from 1 among `alternatives`, its keys and those of the messages beside it."""

    message: Message
    html: SafeString
    attempts: Sequence[Attempt]
    alternatives: Sequence[int]
    empty: bool = False

    @property
    def streaming(self) -> bool:
        return self.message.status == Status.STREAMING

    @property
    def place(self) -> int:
        return self.alternatives.index(self.message.pk) + 1 if self.message.pk in self.alternatives else 1

    @property
    def previous(self) -> int | None:
        return self.alternatives[self.place - 2] if self.place > 1 else None

    @property
    def next(self) -> int | None:
        return self.alternatives[self.place] if self.place < len(self.alternatives) else None

    @property
    def cost(self) -> Decimal | None:
        message = self.message
        return prices.cost(message.provider, message.model, message.input_tokens or 0, message.output_tokens or 0)

    @property
    def fell_back(self) -> bool:
        """Whether another model had been tried in vain before the one that answered."""
        return bool(self.message.model) and len(self.attempts) > 1 and self.attempts[0].model != self.message.model

    @property
    def troubled(self) -> bool:
        return any(attempt.outcome != "complete" for attempt in self.attempts)


def transcript(conversation: Conversation, query: QueryDict) -> Transcript:
    """The page that an address asks for: `at` a message, `before` or `after` one, of the `path` to a leaf."""
    at, leaf = key_of(query, "at"), key_of(query, "path")
    before, after = key_of(query, "before"), key_of(query, "after")
    if at is not None:
        return transcripts.around(conversation.pk, at)
    if after is not None:
        return transcripts.after(conversation.pk, after, leaf)
    return transcripts.newest(conversation.pk, leaf, before)


def key_of(query: QueryDict, name: str) -> int | None:
    """A key in an address; None where it is no number that could be one."""
    return next(reversed(keys_of(query, name)), None)


def keys_of(query: QueryDict, name: str) -> list[int]:
    return [int(given) for given in query.getlist(name) if KEY.fullmatch(given)]


def bubbles(page: Transcript) -> Iterator[Bubble]:
    """The page's messages, and after each user's message the replies to it that came to nothing."""
    budget = RENDERED
    for message in page.messages:
        text = page.streamed.get(message.pk, message.content)
        budget -= len(text)
        html = render(text) if budget >= 0 else format_html("<pre>{}</pre>", text)
        alternatives = page.alternatives.get(message.pk, ())
        empty = message.status != Status.STREAMING and message.role == "assistant" and not text
        yield Bubble(message, html, page.attempts.get(message.pk, ()), alternatives, empty)
        for vain in page.empty.get(message.pk, ()):
            yield Bubble(vain, SafeString(), page.attempts.get(vain.pk, ()), (), empty=True)
