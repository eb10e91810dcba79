"""Filters of the list of messages."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.contrib.filters.admin import (
    ChoicesDropdownFilter,
    DropdownFilter,
)

from core.admin.filters import (
    AnyOfFilter,
    CountryFilter,
    LocalTimeFilter,
    OneOfFilter,
    RecentFilter,
    RelatedFilter,
    StateFilter,
    StoredChoices,
)
from core.distinct_values import distinct_values
from core.times import short_time
from providers.error_texts import explain

from ..models import Batch, Message
from ..presentation.labels import shown_parts, where_shown

MAX_OFFERED: Final = 30
"""Number of batches that the filter offers."""


class ShownStateFilter(StateFilter):
    kind = "message"

    def where(self, shown: str) -> Q:
        return where_shown(shown)

    def parts(self, shown: str) -> list[Q]:
        return shown_parts(shown)


class ReasonFilter(StoredChoices, AnyOfFilter):
    """Filter by the reason why a message failed."""

    title = pgettext_lazy("field", "Reason")
    parameter_name = "reason"
    field_name = "reason"

    def stored_choices(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(reason, explain(reason).title) for reason in distinct_values(Message, "reason")]


class BatchFilter(StoredChoices, OneOfFilter):
    """Filter by batch. Offers the newest batches, and the one in the address."""

    title = pgettext_lazy("field", "Batch")
    parameter_name = "batch"
    ordering = ("-batch_row", "-pk")

    def stored_choices(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        if not request.user.has_perm("messaging.view_batch"):
            return []
        begun = Batch.objects.exclude(started_at=None).order_by("-pk")
        newest = list(begun[:MAX_OFFERED])
        requested = begun.filter(public_id=request.GET.get("batch", "")[:24]).first()
        if requested is not None and requested not in newest:
            newest.append(requested)
        return [
            (
                one.public_id,
                f"{one.title} · {short_time(one.created_at)}",
            )
            for one in newest
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        value = self.value()
        if not value:
            return queryset
        # By its key, an index has the rows in their order.
        key = Batch.objects.filter(public_id=value[:24]).values_list("pk", flat=True).first()
        return queryset.filter(batch=key or 0)


class ConflictFilter(DropdownFilter):
    """Filter messages whose reports contradict each other or the result of the send."""

    title = pgettext_lazy("field", "Conflict")
    parameter_name = "conflict"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", str(_("Conflicting reports")))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        return queryset.filter(conflict=True) if self.value() == "1" else queryset


FILTERS: tuple[Any, ...] = (
    ShownStateFilter,
    ("account", RelatedFilter),
    ("kind", ChoicesDropdownFilter),
    ("created_by", RelatedFilter),
    CountryFilter,
    ReasonFilter,
    BatchFilter,
    ConflictFilter,
    RecentFilter,
    ("created_at", LocalTimeFilter),
)
