"""A link drawn as a button: the one primary action of a page, or a next step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from django.utils.functional import Promise

Text: TypeAlias = str | Promise


@dataclass(frozen=True)
class Button:
    label: Text
    url: str
    icon: str = ""


@dataclass(frozen=True)
class Crumb:
    """One step of the way to a page; the last one needs no address."""

    title: Text
    url: str = ""


@dataclass(frozen=True)
class EmptyState:
    """What a list says while nothing was ever in it."""

    title: Text
    button: Button | None = None
    icon: str = "inbox"
    line: Text = ""
