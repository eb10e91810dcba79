"""Ask once for what several parts of a page show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.http import HttpRequest

Value = TypeVar("Value")


def once(request: HttpRequest, name: str, ask: Callable[[], Value]) -> Value:
    """What `ask` returned when it was first called for this name and request."""
    asked: dict[str, Any] = request.__dict__.setdefault("asked_once", {})
    if name not in asked:
        asked[name] = ask()
    found: Value = asked[name]
    return found
