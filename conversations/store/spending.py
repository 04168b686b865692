"""Which models answered in a conversation, and what they used there."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Sum

from conversations import prices
from conversations.models import Message


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
        """US dollars, None where the price is unknown."""
        return prices.cost(self.provider, self.model, self.input_tokens, self.output_tokens, requests=self.replies)


def models_used(conversations: Collection[int]) -> Mapping[int, Sequence[Used]]:
    """Per key of a conversation what answered in it, most replies first, in one query however many are asked for."""
    found: dict[int, list[Used]] = {key: [] for key in conversations}
    answered = Message.objects.filter(conversation_id__in=found, role=Message.Role.ASSISTANT).exclude(model="")
    rows = answered.values_list("conversation_id", "provider", "model").annotate(
        replies=Count("pk"), tokens_in=Sum("input_tokens", default=0), tokens_out=Sum("output_tokens", default=0)
    )
    for key, *used in rows.order_by("conversation_id", "-replies", "model"):
        found[key].append(Used(*used))
    return found
