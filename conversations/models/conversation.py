"""An ordered series of messages with one owner."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def owned_by(self, owner_id: int | None) -> ConversationQuerySet:
        """Those of one owner; None: those without one, which open mode alone may see."""
        return self.filter(owner_id=owner_id) if owner_id is not None else self.filter(owner__isnull=True)

    def recent(self) -> ConversationQuerySet:
        """Newest activity first, in the order of the list's index."""
        return self.order_by("-last_activity_at", "-id")


class Conversation(models.Model):
    """Counts, tokens and the last reply's model and status are kept here so that no list has to read messages."""

    public_id = models.CharField(max_length=128)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="conversations"
    )
    title = models.CharField(max_length=200, blank=True, help_text="What is shown: chosen by a person, else opening")
    opening = models.CharField(max_length=80, blank=True, help_text="The beginning of the first user's message")
    instructions = models.TextField(blank=True, help_text="System text, sent after the provider's default prompt")
    archived = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now())
    last_activity_at = models.DateTimeField(db_default=Now())
    message_count = models.PositiveIntegerField(default=0)
    input_tokens = models.PositiveBigIntegerField(default=0)
    output_tokens = models.PositiveBigIntegerField(default=0)
    last_provider = models.CharField(max_length=32, blank=True)
    last_model = models.CharField(max_length=200, blank=True)
    last_status = models.CharField(max_length=16, blank=True)
    metadata = models.JSONField(default=dict, blank=True)

    objects = ConversationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "public_id"], condition=models.Q(owner__isnull=False), name="conversation_id_per_owner"
            ),
            models.UniqueConstraint(
                fields=["public_id"], condition=models.Q(owner__isnull=True), name="conversation_id_without_owner"
            ),
        ]
        indexes = [
            models.Index(fields=["owner", "archived", "-last_activity_at", "-id"], name="conversation_list"),
            models.Index(fields=["-last_activity_at", "-id"], name="conversation_recent"),
            # For those who look for a conversation, whoever owns it, and for one that did not go well.
            models.Index(fields=["public_id"], name="conversation_by_id"),
            models.Index(
                fields=["last_status", "-last_activity_at", "-id"],
                condition=models.Q(last_status__in=["cancelled", "failed", "interrupted"]),
                name="conversation_troubled",
            ),
        ]
        permissions = [("view_contents", "Can read what conversations say")]

    def __str__(self) -> str:
        return self.title or self.public_id
