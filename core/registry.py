"""Places where apps announce functions that are asked on every page."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from django.http import HttpRequest

logger = logging.getLogger(__name__)

Item = TypeVar("Item")


class PageSources(Generic[Item]):
    """Functions from a request to what they have to show on its page, in the order in which
    apps registered them."""

    def __init__(self, failure: str) -> None:
        self.failure = failure
        """What is logged when a source raises."""
        self.sources: list[Callable[[HttpRequest], Iterable[Item]]] = []

    def register(self, source: Callable[[HttpRequest], Iterable[Item]]) -> None:
        """Registering the same function again changes nothing."""
        if source not in self.sources:
            self.sources.append(source)

    def gather(self, request: HttpRequest) -> list[Item]:
        """Everything to show. A source that fails must not take the page with it."""
        found: list[Item] = []
        for source in self.sources:
            try:
                found.extend(source(request))
            except Exception:
                logger.exception(self.failure)
        return found
