"""What lists can be narrowed to. The values on offer are known beforehand: none is looked for in all rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.contrib.admin.options import ModelAdmin
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.dateparse import parse_date
from unfold.contrib.filters.admin import DropdownFilter, RangeDateFilter, TextFilter

from conversations.models import DailyUsage, Message, Status, User
from conversations.store import narrowing
from providers import registry

RECENT = timedelta(days=31)
OWNERS = 1000
"""Accounts whose name may begin alike before the rest of them is left out."""

Choices = list[tuple[str, str]]
Values = Callable[[], Choices]
Narrowed = Callable[[QuerySet[Any], str], QuerySet[Any]]


def recent_models() -> list[str]:
    """The models that are set up, and those that answered lately."""
    configured = {model for name in registry.names() for model in registry.config(name).models}
    since = datetime.now(UTC).date() - RECENT
    answered = DailyUsage.objects.filter(day__gte=since).exclude(model="").values_list("model", flat=True).distinct()
    return sorted(configured.union(answered))


def _statuses() -> Choices:
    return [(str(value), str(label)) for value, label in Status.choices]


def _roles() -> Choices:
    return [(str(value), str(label)) for value, label in Message.Role.choices]


def _thumbs() -> Choices:
    return [("up", "Thumbs up"), ("down", "Thumbs down")]


def _providers() -> Choices:
    return [(name, name) for name in registry.names()]


def _models() -> Choices:
    return [(name, name) for name in recent_models()]


class ChoiceFilter(DropdownFilter):
    """One of some values.

    values:   all there are, with what they are called
    narrowed: the rows of the list that are left
    """

    values: Values
    narrowed: Narrowed

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Choices:
        return type(self).values()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return type(self).narrowed(queryset, str(self.value())) if self.value() else queryset


def chosen(column: str, title: str, values: Values, narrowed: Narrowed | None = None) -> type[ChoiceFilter]:
    """narrowed: by default to the rows whose column has the value"""

    def equal(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(**{column: value})

    members = {"parameter_name": column, "title": title, "values": values, "narrowed": narrowed or equal}
    return type("Chosen", (ChoiceFilter,), members)


LastStatusFilter = chosen("last_status", "status of the last reply", _statuses, narrowing.ended_as)
ProviderUsedFilter = chosen(
    "provider", "provider", _providers, lambda rows, name: narrowing.answered_by(rows, provider=name)
)
ModelUsedFilter = chosen("model", "model", _models, lambda rows, name: narrowing.answered_by(rows, model=name))
DailyProviderFilter = chosen("provider", "provider", _providers)
MessageStatusFilter = chosen("status", "status", _statuses, narrowing.standing)
RoleFilter = chosen("role", "role", _roles)
FeedbackFilter = chosen("feedback_rating", "feedback", _thumbs, narrowing.rated)


class ArchivedFilter(DropdownFilter):
    title = "archived"
    parameter_name = "archived__exact"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Choices:
        return [("0", "Not archived"), ("1", "Archived")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(archived=self.value() == "1") if self.value() in ("0", "1") else queryset


class OwnerFilter(TextFilter):
    title = "owner (the beginning of a user's name)"
    parameter_name = "owner"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        name = (self.value() or "").strip()
        if not name:
            return queryset
        owners = User.objects.filter(Q(username__istartswith=name) | Q(email__iexact=name))
        return queryset.filter(owner_id__in=list(owners.values_list("pk", flat=True)[:OWNERS]))


class DayFilter(RangeDateFilter):
    """From one day to another, both included."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        name = self.parameter_name
        try:
            begin, end = (parse_date(self.used_parameters.get(f"{name}_{side}") or "") for side in ("from", "to"))
        except ValueError:
            return queryset.none()
        try:
            return self._between(queryset, begin, end)
        except ValidationError:
            return queryset.none()

    def _between(self, queryset: QuerySet[Any], begin: Any, end: Any) -> QuerySet[Any]:
        if begin:
            queryset = queryset.filter(**{f"{self.parameter_name}__gte": begin})
        if end:
            queryset = queryset.filter(**{f"{self.parameter_name}__lte": end})
        return queryset


class MomentFilter(DayFilter):
    """The same over a column of moments; days are those of UTC."""

    def _between(self, queryset: QuerySet[Any], begin: Any, end: Any) -> QuerySet[Any]:
        first = datetime.combine(begin, time.min, UTC) if begin else None
        last = datetime.combine(end, time.max, UTC) if end else None
        return super()._between(queryset, first, last)
