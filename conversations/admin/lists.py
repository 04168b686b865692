"""What the admin's pages have in common: bounded lists, nothing to change, contents for those who may read them."""

from __future__ import annotations

import json
from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.paginator import Paginator
from django.db.models import Field, Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin, TabularInline
from unfold.views import ChangeList

VIEW_CONTENTS = "conversations.view_contents"
COUNTED_ROWS = 5_000


def may_read(request: HttpRequest) -> bool:
    return request.user.has_perm(VIEW_CONTENTS)


def shortened(public_id: str) -> str:
    """Enough to recognise an id by, too little to use it."""
    return f"{public_id[: min(12, len(public_id) // 2)]}…"


def log(request: HttpRequest, row: Model, name: str, flag: int, message: Any = "") -> None:
    """Write into the admin's log under a name that gives nothing away: the log outlives what it speaks of."""
    LogEntry.objects.create(
        user_id=cast("int", request.user.pk),  # whoever comes here has signed in
        content_type=ContentType.objects.get_for_model(row),
        object_id=row.pk,
        object_repr=name[:200],
        action_flag=flag,
        change_message=message if isinstance(message, str) else json.dumps(message),
    )


def unbroken(text: object) -> SafeString:
    """A cell that stays on one line."""
    return format_html('<span class="dx-unbroken">{}</span>', text)


class AtLeast(int):
    """A count that was given up: there are more."""

    def __str__(self) -> str:
        return f"{int(self):,}+"


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # Django has no such argument at run time
    """Counts no further than anybody pages, so that a list costs the same at a million rows."""

    @cached_property
    def count(self) -> int:
        counted: int = self.object_list.order_by().values("pk")[: COUNTED_ROWS + 1].count()  # type: ignore[attr-defined]
        return counted if counted <= COUNTED_ROWS else AtLeast(COUNTED_ROWS)


class BoundedList(ChangeList):
    """Offers to show all rows only where some are left out."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.query and not self.get_filters_params():
            self.full_result_count = self.result_count


class BoundedAdmin(ModelAdmin):
    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # each would count all rows that a filter leaves
    list_per_page = 50
    list_fullwidth = True
    compressed_fields = True

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BoundedList


class ReadOnly:
    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnlyAdmin(ReadOnly, BoundedAdmin):
    pass


class ReadOnlyInline(ReadOnly, TabularInline):
    extra = 0
    ordering = ("id",)


class ContentsAdmin(ReadOnlyAdmin):
    """One page for those who may read contents, and for all others the same one without them."""

    contents: tuple[str, ...] = ()
    """Fields and columns that tell what was said."""

    actions: Any = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows if may_read(request) else rows.defer(*(field.name for field in self._content_fields()))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """What may not be read is not in the object either, so no heading or message can show it."""
        row = super().get_object(request, object_id, from_field)
        if row is not None and not may_read(request):
            row.public_id = shortened(row.public_id)
            for field in self._content_fields():
                setattr(row, field.name, field.get_default())
        return row

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        return self._readable(request, super().get_fields(request, obj))

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        columns = self._readable(request, super().get_list_display(request))
        return columns if may_read(request) else ["short_id" if name == "public_id" else name for name in columns]

    @admin.display(description="id")
    def short_id(self, row: Any) -> SafeString:
        return unbroken(shortened(row.public_id))

    def _readable(self, request: HttpRequest, names: Any) -> list[Any]:
        return [name for name in names if may_read(request) or name not in self.contents]

    def _content_fields(self) -> list[Field[Any, Any]]:
        return [field for field in self.model._meta.concrete_fields if field.name in self.contents]
