"""Lists whose search decides itself what a term is."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from .base import MAX_SEARCH_LENGTH


class WordSearch:
    """Calls `search_rows` with a term that is neither empty nor too long."""

    def search_rows(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        """Those of `rows` that match the term."""
        raise NotImplementedError

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        if len(term) > MAX_SEARCH_LENGTH:
            return queryset.none(), False
        return self.search_rows(queryset, term), False
