"""A handful of conversations to look at: code, a table, another script, a branch, a failure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from conversations import identifiers
from conversations.commands.invented import add_reply, attempts_of
from conversations.models import Attempt, Conversation, Message, Status
from conversations.store.begin import TITLE_LENGTH
from conversations.store.seeding import Seeded
from conversations.store.usage import UsageKey, UsageSums


@dataclass(frozen=True, slots=True)
class Said:
    """One message.

    models: those that were asked, the last one answered if there is text; none for a user's message
    after:  the place of the message it follows; None: the one before
    """

    text: str
    models: tuple[str, ...] = ()
    after: int | None = None
    shown: bool = True
    status: Status = Status.COMPLETE
    rating: str = ""
    comment: str = ""


GPT, CLAUDE, GEMINI = ("gpt-4o",), ("claude-3-5-sonnet-latest",), ("gemini-2.0-flash",)
GPT_BOTH = ("gpt-4o", "gpt-4o-mini")

DEMO = (
    (
        Said("How do I read a large CSV file in Python without loading all of it?"),
        Said(
            "Iterate over it: `csv.reader` reads a line at a time.\n\n```python\nimport csv\n\nwith open('big.csv', "
            "newline='') as file:\n    for row in csv.DictReader(file):\n        handle(row)\n```\n\n"
            "Memory stays flat however long the file is.",
            GPT,
            rating="up",
            comment="Exactly what I needed",
        ),
        Said("And if I want to sum a column by key?"),
        Said(
            "Keep a dictionary of sums:\n\n```python\nfrom collections import Counter\n\nsums = Counter()\nfor row in "
            "rows:\n    sums[row['key']] += int(row['amount'])\n```",
            GPT_BOTH,
        ),
    ),
    (
        Said("Compare SQLite and PostgreSQL for a small team."),
        Said(
            "| | SQLite | PostgreSQL |\n|---|---|---|\n| Setup | none | a server |\n| Writers at once | one | many |\n"
            "| Backup | a file | `pg_dump` |\n\nBegin with SQLite; move when a second machine has to write.",
            CLAUDE,
        ),
    ),
    (
        Said("東京で週末に何をすればいい？"),
        Said("土曜日は**上野公園**を散歩して、日曜日は*谷中*の古い町並みを歩くのがおすすめです。", GEMINI),
    ),
    (
        Said("Write a two-line poem about rain."),
        Said("Rain taps a code on every pane,\nand every window signs its name.", GPT, shown=False, rating="down"),
        Said("Grey threads let down from cloud to street,\nthe gutters hum, the puddles meet.", CLAUDE, after=0),
        Said("Now one about snow."),
        Said("Snow keeps", CLAUDE, status=Status.CANCELLED),
    ),
    (
        Said("Summarise the minutes of today's meeting, please."),
        Said("", GPT_BOTH, shown=False, status=Status.FAILED),
    ),
)


def conversations(owner_id: int | None, now: datetime) -> tuple[list[Seeded], dict[UsageKey, UsageSums]]:
    """And what their replies add to their days."""
    usage: dict[UsageKey, UsageSums] = {}
    return [_seeded(said, owner_id, now - timedelta(hours=7 * at), usage) for at, said in enumerate(DEMO)], usage


def _seeded(said: tuple[Said, ...], owner_id: int | None, ended: datetime, usage: dict[UsageKey, UsageSums]) -> Seeded:
    began = ended - timedelta(minutes=len(said))
    rows = [_row(each, began + timedelta(minutes=at)) for at, each in enumerate(said)]
    parents = [each.after if each.after is not None else at - 1 if at else None for at, each in enumerate(said)]
    attempts: list[tuple[int, Attempt]] = []
    for at, (each, row) in enumerate(zip(said, rows, strict=True)):
        if each.models:
            add_reply(usage, row, owner_id, row.requested_provider, each.models)
            attempts += [(at, attempt) for attempt in attempts_of(row, row.requested_provider, each.models)]
    return Seeded(_around(said[0].text[:TITLE_LENGTH], rows, owner_id), rows, parents, attempts)


def _around(opening: str, rows: list[Message], owner_id: int | None) -> Conversation:
    return Conversation(
        public_id=identifiers.conversation_id(),
        owner_id=owner_id,
        title=opening,
        opening=opening,
        created_at=rows[0].created_at,
        last_activity_at=rows[-1].created_at,
        message_count=sum(bool(row.content) for row in rows),
        input_tokens=sum(row.input_tokens or 0 for row in rows),
        output_tokens=sum(row.output_tokens or 0 for row in rows),
        last_provider=rows[-1].provider,
        last_model=rows[-1].model,
        last_status=rows[-1].status,
    )


def _row(said: Said, moment: datetime) -> Message:
    row = Message(public_id=identifiers.message_id(), role="user", content=said.text, created_at=moment)
    if not said.models:
        return row
    row.role, row.active, row.status = "assistant", said.shown, said.status
    row.requested_provider = said.models[0].partition("-")[0]
    row.feedback_rating, row.feedback_comment = said.rating, said.comment
    row.finish_reason = "stop" if said.status == Status.COMPLETE else None
    if said.text:
        row.provider, row.model = row.requested_provider, said.models[-1]
        row.input_tokens, row.output_tokens, row.usage_estimated = 180, len(said.text) // 4, True
        row.time_to_first_token_ms, row.duration_ms = 420, 420 + 4 * len(said.text)
    else:
        row.error = f"Both models failed: {' (vendor failed), '.join(said.models)} (vendor failed)."
    return row
