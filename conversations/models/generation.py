"""What generations need while they live: who produces what, what was streamed so far, who is alive."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from conversations.models.conversation import Conversation
from conversations.models.message import Message


class Worker(models.Model):
    """One serving process. Its heartbeat is in the database's time, so that no two clocks are compared."""

    id = models.UUIDField(primary_key=True)
    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    process_started = models.FloatField(help_text="Seconds since the boot; tells a reused pid from the same process")
    started_at = models.DateTimeField(db_default=Now())
    heartbeat_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"


class Generation(models.Model):
    """A reply that is being produced or waits for its turn. The row goes when the message ends."""

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"

    message = models.OneToOneField(Message, primary_key=True, on_delete=models.CASCADE, related_name="generation")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="generations")
    worker_id = models.UUIDField(db_index=True)
    state = models.CharField(max_length=7, choices=State.choices)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    previous_leaf = models.BigIntegerField(
        null=True, blank=True, help_text="The path to show again should this reply end without text"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["conversation"], condition=models.Q(state="running"), name="one_running_generation"
            ),
        ]
        indexes = [
            models.Index(
                fields=["cancel_requested_at"],
                condition=models.Q(cancel_requested_at__isnull=False),
                name="generation_to_cancel",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.message_id} {self.state}"


class JournalEntry(models.Model):
    """Text that was streamed and is not yet folded into its message.

    No constraint ties it to the message: a message deleted meanwhile drops its rows, never the batch they came in.
    """

    message_id = models.BigIntegerField()
    position = models.PositiveIntegerField(help_text="Code points of the reply before this text")
    text = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["message_id", "id"], name="journal_of_message")]

    def __str__(self) -> str:
        return f"{self.message_id}+{self.position}"


class IdempotencyKey(models.Model):
    """A turn's claim on the key it was sent with, kept for 24 hours.

    A released claim no longer answers for its key; it remembers which user's message the same body would answer.
    """

    scope = models.CharField(max_length=200, help_text="Whose key it is")
    key = models.CharField(max_length=255)
    route = models.CharField(max_length=200)
    body_hash = models.CharField(max_length=64)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="+", help_text="The reply")
    released = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now(), db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="idempotency_key_per_caller")]

    def __str__(self) -> str:
        return f"{self.scope} {self.key}"
