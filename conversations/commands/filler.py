"""Conversations that nobody had, alike in sizes, branches and outcomes to those that people have."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import accumulate

from conversations.commands.invented import add_reply, attempts_of
from conversations.identifiers import RANDOM_DIGITS
from conversations.models import Attempt, Conversation, Message, Status
from conversations.store.begin import TITLE_LENGTH
from conversations.store.seeding import Seeded
from conversations.store.usage import UsageKey, UsageSums

VOCABULARY = 20_000
DAYS = 90
MODELS = (
    ("gpt", "gpt-4o", "gpt-4o-mini", 50),
    ("claude", "claude-3-5-sonnet-latest", "claude-3-5-haiku-latest", 25),
    ("gemini", "gemini-2.0-flash", "gemini-1.5-pro", 20),
    ("gpt", "llama-3.3-70b", "gpt-4o-mini", 5),
)
"""Provider, model, the model asked when that one fails, and how many of a hundred conversations have them. Of one the
price is not known."""

FELL_BACK = 0.04
"""Share of replies that the second model gave."""

ENDS = ((Status.COMPLETE, 93), (Status.CANCELLED, 3), (Status.FAILED, 2), (Status.INTERRUPTED, 2))
BRANCHED = 0.1
"""Share of replies that were produced a second time; the second is shown."""

SYLLABLES = ("ka", "lo", "mi", "ner", "sta", "ven", "tri", "do", "pul", "sen", "gra", "fi", "to", "bel", "cu", "ram")


class Filler:
    """Makes one conversation after the other. `usage` is what their replies used since it was last taken.

    now: when the last of them ended;  seed: the same one makes the same conversations
    """

    def __init__(self, owner_id: int | None, now: datetime, *, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311 - nothing here is secret
        self._owner_id = owner_id
        self._now = now
        words = {self._word() for _ in range(VOCABULARY)}
        self._words = sorted(words)
        self._random.shuffle(self._words)
        self._often = list(accumulate(1 / rank for rank in range(1, len(self._words) + 1)))
        self._pieces = [self._piece() for _ in range(5_000)]
        self.usage: dict[UsageKey, UsageSums] = {}

    def conversation(self, messages: int) -> Seeded:
        """One of that many messages."""
        moment = self._now - timedelta(days=DAYS) * self._random.random()
        provider, *models, _ = self._random.choices(MODELS, [each[-1] for each in MODELS])[0]
        rows: list[Message] = []
        parents: list[int | None] = []
        attempts: list[tuple[int, Attempt]] = []
        leaf: int | None = None
        while len(rows) < messages:
            moment += timedelta(seconds=self._random.uniform(5, 90))
            again = leaf is not None and rows[leaf].role == "assistant" and self._random.random() < BRANCHED
            if again and leaf is not None:
                rows[leaf].active = False
                leaf = parents[leaf]
            if leaf is None or rows[leaf].role == "assistant":
                row = self._question(moment)
            else:
                row, tried = self._reply(moment, provider, models)
                attempts += [(len(rows), attempt) for attempt in tried]
            rows.append(row)
            parents.append(leaf)
            leaf = len(rows) - 1 if row.active else leaf
        return Seeded(self._around(rows), rows, parents, attempts)

    def _around(self, rows: Sequence[Message]) -> Conversation:
        newest = next((row for row in reversed(rows) if row.role == "assistant"), Message())
        answered = next((row for row in reversed(rows) if row.model), Message())
        opening = rows[0].content[:TITLE_LENGTH].rpartition(" ")[0]
        return Conversation(
            public_id=f"session-{self._digits(rows[0].created_at)}",
            owner_id=self._owner_id,
            title=opening,
            opening=opening,
            archived=self._random.random() < 0.05,
            created_at=rows[0].created_at,
            last_activity_at=rows[-1].created_at,
            message_count=sum(bool(row.content) for row in rows),
            input_tokens=sum(row.input_tokens or 0 for row in rows),
            output_tokens=sum(row.output_tokens or 0 for row in rows),
            last_provider=answered.provider,
            last_model=answered.model,
            last_status=newest.status if newest.role else "",
        )

    def _question(self, moment: datetime) -> Message:
        text = self._text(self._random.choice((1, 1, 1, 2, 3)))
        return Message(public_id=f"msg-{self._digits(moment)}", role="user", content=text, created_at=moment)

    def _reply(self, moment: datetime, provider: str, models: Sequence[str]) -> tuple[Message, list[Attempt]]:
        """models: the one that is asked first, and the other one"""
        status = self._random.choices([each[0] for each in ENDS], [each[1] for each in ENDS])[0]
        text = "" if status == Status.FAILED and self._random.random() < 0.5 else self._text(self._random.randint(2, 9))
        tried = models if not text or self._random.random() < FELL_BACK else models[:1]
        first = int(self._random.lognormvariate(6.2, 0.6))
        tokens = len(text) // 4
        row = Message(
            public_id=f"msg-{self._digits(moment)}",
            role="assistant",
            content=text,
            active=bool(text),
            created_at=moment,
            status=status,
            requested_provider=provider,
            provider=provider if text else "",
            model=tried[-1] if text else "",
            finish_reason="stop" if status == Status.COMPLETE else None,
            error="The provider failed." if status == Status.FAILED else "",
            input_tokens=self._random.randint(50, 3000) if text else None,
            output_tokens=tokens if text else None,
            time_to_first_token_ms=first if text else None,
            duration_ms=first + tokens * 15,
        )
        add_reply(self.usage, row, self._owner_id, provider, tried)
        return row, attempts_of(row, provider, tried)

    def _digits(self, moment: datetime) -> str:
        return f"{int(moment.timestamp() * 1000):013d}{self._random.randrange(10**RANDOM_DIGITS):0{RANDOM_DIGITS}d}"

    def _text(self, pieces: int) -> str:
        return " ".join(self._random.choices(self._pieces, k=pieces))

    def _piece(self) -> str:
        words = self._random.choices(self._words, cum_weights=self._often, k=self._random.randint(6, 24))
        return f"{' '.join(words).capitalize()}{self._random.choice('...?!')}"

    def _word(self) -> str:
        return "".join(self._random.choices(SYLLABLES, k=self._random.randint(1, 4)))
