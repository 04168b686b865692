"""What was used per day, row by row; the dashboard draws it."""

from __future__ import annotations

from django.contrib import admin

from conversations import formats
from conversations.admin.filters import DailyProviderFilter, DayFilter
from conversations.admin.lists import ReadOnlyAdmin
from conversations.models import DailyUsage


@admin.register(DailyUsage)
class DailyUsageAdmin(ReadOnlyAdmin):
    list_display = (
        *("day", "owner_id", "provider", "model", "requests", "input_tokens", "output_tokens", "cost"),
        *("errors", "fallbacks"),
    )
    list_filter = (("day", DayFilter), DailyProviderFilter)
    list_filter_submit = True
    ordering = ("-day", "owner_id", "provider", "model")

    @admin.display(description="cost")
    def cost(self, row: DailyUsage) -> str:
        return formats.dollars(formats.cost_of(row))
