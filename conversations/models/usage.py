"""What was used, added up per day, owner, provider and model."""

from __future__ import annotations

from django.db import models


class DailyUsage(models.Model):
    """Stored and unstored replies alike, so that a report matches the bill.

    owner_id: 0 for callers without an account (a NULL would not be unique)
    errors:   replies that ended failed;  fallbacks: replies that another model than the first answered
    ttft_*:   replies whose first token came within so many milliseconds, and after the last of them
    """

    day = models.DateField()
    owner_id = models.BigIntegerField(default=0)
    provider = models.CharField(max_length=32)
    model = models.CharField(max_length=200)
    requests = models.PositiveBigIntegerField(default=0)
    input_tokens = models.PositiveBigIntegerField(default=0)
    output_tokens = models.PositiveBigIntegerField(default=0)
    errors = models.PositiveBigIntegerField(default=0)
    fallbacks = models.PositiveBigIntegerField(default=0)
    ttft_100 = models.PositiveBigIntegerField(default=0)
    ttft_250 = models.PositiveBigIntegerField(default=0)
    ttft_500 = models.PositiveBigIntegerField(default=0)
    ttft_1000 = models.PositiveBigIntegerField(default=0)
    ttft_2500 = models.PositiveBigIntegerField(default=0)
    ttft_5000 = models.PositiveBigIntegerField(default=0)
    ttft_10000 = models.PositiveBigIntegerField(default=0)
    ttft_more = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "owner_id", "provider", "model"], name="usage_per_day")]
        verbose_name_plural = "daily usage"

    def __str__(self) -> str:
        return f"{self.day} {self.provider} {self.model}"
