"""What is stored."""

from conversations.models.conversation import Conversation
from conversations.models.generation import Generation, IdempotencyKey, JournalEntry, Worker
from conversations.models.message import Attempt, Message, Status
from conversations.models.search import SearchEntry
from conversations.models.usage import DailyUsage
from conversations.models.user import User

__all__ = [
    "Attempt",
    "Conversation",
    "DailyUsage",
    "Generation",
    "IdempotencyKey",
    "JournalEntry",
    "Message",
    "SearchEntry",
    "Status",
    "User",
    "Worker",
]
