"""Panels that apps of higher floors add to the page of an object, such as its notes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Model
from django.http import HttpRequest


@dataclass(frozen=True, slots=True)
class ObjectPanel:
    """A part of a page. The template finds `context` as `panel`."""

    template: str
    context: Mapping[str, Any]


PanelSource = Callable[[HttpRequest, Model], "ObjectPanel | None"]

_sources: Final[list[PanelSource]] = []


def register(source: PanelSource) -> None:
    """`source` returns None for objects that it knows nothing about."""
    if source not in _sources:
        _sources.append(source)


def panels_of(request: HttpRequest, obj: Model) -> list[ObjectPanel]:
    """The panels for a reader who may open the object's page."""
    return [panel for source in _sources if (panel := source(request, obj))]
