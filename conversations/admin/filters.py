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
from conversations.store.spending import answered_by
from providers import registry

RECENT = timedelta(days=31)
OWNERS = 1000
"""Accounts whose name may begin alike before the rest of them is left out."""

Choices = list[tuple[str, str]]
Values = Callable[[], Choices]


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
    """One of some values, all of which `values` knows."""

    values: Values

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Choices:
        return type(self).values()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return self.narrowed(queryset, self.value()) if self.value() else queryset

    def narrowed(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        """By default: to rows whose column `parameter_name` has that value."""
        return queryset.filter(**{self.parameter_name: value})


class UsedFilter(ChoiceFilter):
    """Conversations with a reply, on whatever branch, whose column `parameter_name` has the chosen value."""

    def narrowed(self, queryset: Any, value: Any) -> QuerySet[Any]:
        return answered_by(queryset, **{self.parameter_name: value})


def chosen(column: str, title: str, values: Values, kind: type[ChoiceFilter] = ChoiceFilter) -> type[ChoiceFilter]:
    return type(f"{kind.__name__}Of{column}", (kind,), {"parameter_name": column, "title": title, "values": values})


LastStatusFilter = chosen("last_status", "status of the last reply", _statuses)
ProviderUsedFilter = chosen("provider", "provider", _providers, UsedFilter)
ModelUsedFilter = chosen("model", "model", _models, UsedFilter)
DailyProviderFilter = chosen("provider", "provider", _providers)
MessageStatusFilter = chosen("status", "status", _statuses)
RoleFilter = chosen("role", "role", _roles)
FeedbackFilter = chosen("feedback_rating", "feedback", _thumbs)


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
