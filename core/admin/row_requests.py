"""Requests that need a part of a list: its rows without what surrounds them, or its filters.

Exports and the fragment that open lists poll apply a list's filters. Nobody reads their choices,
the count or the page of rows. The panel of filters needs the choices alone.
"""

from __future__ import annotations

from django.http import HttpRequest


def want_rows_only(request: HttpRequest) -> None:
    request.wants_rows_only = True  # type: ignore[attr-defined]


def wants_rows_only(request: HttpRequest) -> bool:
    return getattr(request, "wants_rows_only", False)


def want_choices(request: HttpRequest, *, alone: bool) -> None:
    request.wants_choices = True  # type: ignore[attr-defined]
    request.wants_filters_only = alone  # type: ignore[attr-defined]


def wants_choices(request: HttpRequest, *parameters: str) -> bool:
    """Whether the choices of the filter with these parameters are shown.

    Without the panel, only the chip of a filter in use shows one of them.
    """
    if wants_rows_only(request):
        return False
    return getattr(request, "wants_choices", False) or any(map(request.GET.get, parameters))


def wants_page(request: HttpRequest) -> bool:
    """Whether the list is shown, with its count and a page of rows."""
    return not (wants_rows_only(request) or getattr(request, "wants_filters_only", False))


def repeat_search(request: HttpRequest) -> None:
    """Note that this reader was answered this search before, so it is not counted again."""
    request.repeats_search = True  # type: ignore[attr-defined]


def repeats_search(request: HttpRequest) -> bool:
    return getattr(request, "repeats_search", False)
