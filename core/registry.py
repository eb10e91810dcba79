"""Registries of functions that contribute to every page."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from django.http import HttpRequest

logger = logging.getLogger(__name__)

Item = TypeVar("Item")


class PageSources(Generic[Item]):
    """Functions that return items to show for a request, in the order of registration."""

    def __init__(self, failure: str) -> None:
        self.failure = failure
        """The message to log when a source raises."""
        self.sources: list[Callable[[HttpRequest], Iterable[Item]]] = []

    def register(self, source: Callable[[HttpRequest], Iterable[Item]]) -> None:
        """Add a source. Registering it again has no effect."""
        if source not in self.sources:
            self.sources.append(source)

    def gather(self, request: HttpRequest) -> list[Item]:
        """The items of all sources. A failing source is logged and skipped."""
        found: list[Item] = []
        for source in self.sources:
            try:
                found.extend(source(request))
            except Exception:
                logger.exception(self.failure)
        return found
