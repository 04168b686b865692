"""One stored utterance, and the attempts that were made to produce it."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from conversations.models.conversation import Conversation


class Status(models.TextChoices):
    """How a message stands. `STREAMING` changes once, into one of the others."""

    STREAMING = "streaming"
    COMPLETE = "complete"
    CANCELLED = "cancelled"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class MessageQuerySet(models.QuerySet["Message"]):
    def history(self) -> MessageQuerySet:
        """The active path, oldest first. Ended replies without text are never active."""
        return self.filter(active=True).order_by("id")

    def owned_by(self, owner_id: int | None) -> MessageQuerySet:
        """Those in conversations of one owner; None: in those without one."""
        if owner_id is None:
            return self.filter(conversation__owner__isnull=True)
        return self.filter(conversation__owner_id=owner_id)


class Message(models.Model):
    """A child always has a greater primary key than its parent, so the active rows in key order are the history."""

    class Role(models.TextChoices):
        USER = "user"
        ASSISTANT = "assistant"

    public_id = models.CharField(max_length=64, unique=True)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.CASCADE, related_name="children")
    active = models.BooleanField(default=True)
    role = models.CharField(max_length=9, choices=Role.choices)
    content = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now())
    status = models.CharField(max_length=11, choices=Status.choices, default=Status.COMPLETE)
    requested_provider = models.CharField(max_length=32, blank=True, help_text="Fixed at arrival; names the chunks")
    provider = models.CharField(max_length=32, blank=True)
    model = models.CharField(max_length=200, blank=True, help_text="The serving model")
    finish_reason = models.CharField(max_length=16, null=True, blank=True)  # noqa: DJ001 - null is "unknown" on the wire
    error = models.TextField(blank=True)
    input_tokens = models.PositiveIntegerField(null=True, blank=True)
    output_tokens = models.PositiveIntegerField(null=True, blank=True)
    usage_estimated = models.BooleanField(default=False)
    time_to_first_token_ms = models.PositiveIntegerField(null=True, blank=True)
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    request_id = models.CharField(max_length=128, blank=True)
    feedback_rating = models.CharField(max_length=4, blank=True)
    feedback_comment = models.TextField(blank=True)
    metadata = models.JSONField(default=dict, blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=["user", "assistant"]), name="message_role"),
        ]
        indexes = [
            models.Index(fields=["conversation", "id"], condition=models.Q(active=True), name="message_history"),
            # `store.spending` and `store.narrowing` read from these, never from the messages themselves.
            models.Index(
                fields=["conversation", "provider", "model", "input_tokens", "output_tokens"],
                condition=~models.Q(model=""),
                name="message_spending",
            ),
            models.Index(
                fields=["status", "-id"],
                condition=models.Q(status__in=["cancelled", "failed", "interrupted"]),
                name="message_troubled",
            ),
            models.Index(
                fields=["feedback_rating", "-id"], condition=~models.Q(feedback_rating=""), name="message_rated"
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class Attempt(models.Model):
    """One try of one model for one message."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attempts")
    provider = models.CharField(max_length=32)
    model = models.CharField(max_length=200)
    outcome = models.CharField(max_length=32, help_text="complete, or the kind of the error that ended it")
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    error = models.TextField(blank=True)
    duration_ms = models.PositiveIntegerField()
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.model}: {self.outcome}"
