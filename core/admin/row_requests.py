"""Requests that need the rows that a list shows, and nothing that surrounds them.

Exports and the fragment that open lists poll apply a list's filters. Nobody reads their choices,
the count or the page of rows.
"""

from __future__ import annotations

from django.http import HttpRequest


def want_rows_only(request: HttpRequest) -> None:
    request.wants_rows_only = True  # type: ignore[attr-defined]


def wants_rows_only(request: HttpRequest) -> bool:
    return getattr(request, "wants_rows_only", False)


def repeat_search(request: HttpRequest) -> None:
    """Note that this reader was answered this search before, so it is not counted again."""
    request.repeats_search = True  # type: ignore[attr-defined]


def repeats_search(request: HttpRequest) -> bool:
    return getattr(request, "repeats_search", False)
