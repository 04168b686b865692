"""What was used per day, row by row; the dashboard draws it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.views import ChangeList

from conversations import formats
from conversations.admin.filters import DailyProviderFilter, DayFilter
from conversations.admin.lists import BoundedList, ReadOnlyAdmin, unbroken
from conversations.models import DailyUsage, User


class UsageList(BoundedList):
    """Reads in one query more who the owners of the rows on the page are."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows: list[Any] = list(self.result_list)
        names = dict(User.objects.filter(pk__in={row.owner_id for row in rows}).values_list("pk", "username"))
        for row in rows:
            row.name = names.get(row.owner_id, f"#{row.owner_id}, erased") if row.owner_id else "–"
        self.result_list: Any = rows


@admin.register(DailyUsage)
class DailyUsageAdmin(ReadOnlyAdmin):
    list_display = (
        *("date", "owner", "provider", "served", "replies", "read", "written", "cost"),
        *("failed", "fell_back"),
    )
    list_filter = (("day", DayFilter), DailyProviderFilter)
    list_filter_submit = True
    sortable_by = ("date", "replies", "read", "written")
    ordering = ("-day", "owner_id", "provider", "model")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return UsageList

    @admin.display(description="day", ordering="day")
    def date(self, row: DailyUsage) -> SafeString:
        return unbroken(f"{row.day:%Y-%m-%d}")

    @admin.display(description="owner")
    def owner(self, row: Any) -> str:
        return row.name

    @admin.display(description="model")
    def served(self, row: DailyUsage) -> SafeString:
        return unbroken(row.model or "–")

    @admin.display(description="replies", ordering="requests")
    def replies(self, row: DailyUsage) -> str:
        return f"{row.requests:,}"

    @admin.display(description="tokens read", ordering="input_tokens")
    def read(self, row: DailyUsage) -> str:
        return f"{row.input_tokens:,}"

    @admin.display(description="tokens written", ordering="output_tokens")
    def written(self, row: DailyUsage) -> str:
        return f"{row.output_tokens:,}"

    @admin.display(description="cost")
    def cost(self, row: DailyUsage) -> SafeString:
        return unbroken(formats.dollars(formats.cost_of(row)))

    @admin.display(description="errors")
    def failed(self, row: DailyUsage) -> str:
        return f"{row.errors:,}"

    @admin.display(description="fallbacks")
    def fell_back(self, row: DailyUsage) -> str:
        return f"{row.fallbacks:,}"
