"""What lists can be narrowed to. The values on offer are known beforehand: none is looked for in all rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.admin.options import ModelAdmin
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.dateparse import parse_date
from unfold.contrib.filters.admin import DropdownFilter, RangeDateFilter, TextFilter

from conversations.models import DailyUsage, Message, Status, User
from providers import registry

RECENT = timedelta(days=31)
OWNERS = 1000
"""Accounts whose name may begin alike before the rest of them is left out."""

Choices = list[tuple[str, str]]


def recent_models() -> list[str]:
    """The models that are set up, and those that answered lately."""
    configured = {model for name in registry.names() for model in _models_of(name)}
    since = datetime.now(UTC).date() - RECENT
    answered = DailyUsage.objects.filter(day__gte=since).exclude(model="").values_list("model", flat=True).distinct()
    return sorted(configured.union(answered))


def _models_of(provider: str) -> tuple[str, str]:
    config = registry.config(provider)
    return config.default_model, config.fallback_model


class EqualsFilter(DropdownFilter):
    """Rows whose column `parameter_name` has the chosen value."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.parameter_name: self.value()}) if self.value() else queryset


class LastStatusFilter(EqualsFilter):
    title = "status of the last reply"
    parameter_name = "last_status"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Choices:
        return [(str(value), str(label)) for value, label in Status.choices]


class LastProviderFilter(EqualsFilter):
    title = "provider of the last reply"
    parameter_name = "last_provider"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Choices:
        return [(name, name) for name in registry.names()]


class LastModelFilter(EqualsFilter):
    title = "model of the last reply"
    parameter_name = "last_model"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Choices:
        return [(name, name) for name in recent_models()]


class DailyProviderFilter(LastProviderFilter):
    title = "provider"
    parameter_name = "provider"


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


class MessageStatusFilter(EqualsFilter):
    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Choices:
        return [(str(value), str(label)) for value, label in Status.choices]


class RoleFilter(EqualsFilter):
    title = "role"
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Choices:
        return [(str(value), str(label)) for value, label in Message.Role.choices]


class FeedbackFilter(EqualsFilter):
    title = "feedback"
    parameter_name = "feedback_rating"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Choices:
        return [("up", "Thumbs up"), ("down", "Thumbs down")]


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
            queryset = queryset.filter(**{f"{self.parameter_name}__lt": end + timedelta(days=1)})
        return queryset


class MomentFilter(DayFilter):
    """The same over a column of moments; days are those of UTC."""

    def _between(self, queryset: QuerySet[Any], begin: Any, end: Any) -> QuerySet[Any]:
        return super()._between(queryset, _midnight(begin), _midnight(end))


def _midnight(day: Any) -> datetime | None:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None
