"""The interface that pages and lists need from their admin.

`PortalAdmin` implements it. Pages and lists use this protocol because `PortalAdmin` imports them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from django.contrib.admin import AdminSite
from django.db.models import Model, QuerySet
from django.db.models.options import Options
from django.http import HttpRequest

from .buttons import Button, Crumb, EmptyState, Text
from .list_export import ListExport


class ModelPages(Protocol):
    """The admin of one model, as its pages use it."""

    model: type[Model]
    opts: Options[Any]
    admin_site: AdminSite

    sortable_by: Sequence[str] | None
    indexed_pairs: Collection[frozenset[str]] | None
    few_rows_by: Collection[str]
    time_field: str
    counted_as: tuple[Text, Text] | None
    labelled_columns: Collection[str]
    other_columns: Sequence[Any]
    has_public_id: bool

    list_export: ListExport | None

    def prepare_rows(self, rows: Sequence[Any]) -> None: ...

    def get_ordering(self, request: HttpRequest) -> Sequence[str]: ...

    def get_paginator(self, request: HttpRequest, queryset: Any, per_page: int) -> Any: ...

    def url_name(self, name: str) -> str: ...

    def object_url(self, obj: Model, name: str = "change") -> str: ...

    def get_list_title(self) -> str: ...

    def list_crumb(self) -> Crumb: ...

    def get_detail_title(self, request: HttpRequest, obj: Any) -> Text: ...

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool: ...

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]: ...

    def get_or_404(self, request: HttpRequest, public_id: str) -> Any: ...

    def get_changelist_instance(self, request: HttpRequest) -> Any: ...

    def get_list_primary(self, request: HttpRequest) -> Button | None: ...

    def get_empty_state(self, request: HttpRequest) -> EmptyState: ...
