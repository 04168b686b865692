"""Which models answered in a conversation, and what they used there: read from an index alone, never from messages."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from conversations import prices
from conversations.store import statements

ANSWERED = """NOT ("conversations_message"."model" = '')"""
"""The condition of that index, as text: SQLite uses a partial index only where it finds its condition as it stands."""

USED = f"""
    SELECT conversation_id, provider, model, count(*), coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0)
    FROM conversations_message WHERE {ANSWERED} AND conversation_id IN ({{}})
    GROUP BY conversation_id, provider, model ORDER BY conversation_id, 4 DESC, model
"""  # noqa: S608  (texts of our own)


@dataclass(frozen=True, slots=True)
class Used:
    """The replies of one model, over all branches."""

    provider: str
    model: str
    replies: int
    input_tokens: int
    output_tokens: int

    @property
    def cost(self) -> Decimal | None:
        """US dollars, None where the price is unknown, or the tokens are: those of a reply under way for example."""
        if not self.input_tokens and not self.output_tokens:
            return None
        return prices.cost(self.provider, self.model, self.input_tokens, self.output_tokens, requests=self.replies)


def models_used(conversations: Collection[int]) -> Mapping[int, Sequence[Used]]:
    """Per key of a conversation what answered in it, most replies first, in one query however many are asked for."""
    found: dict[int, list[Used]] = {key: [] for key in conversations}
    if found:
        for key, *used in statements.rows(USED.format(", ".join(["%s"] * len(found))), tuple(found)):
            found[key].append(Used(*used))
    return found
