"""Parts of a page's frame: buttons, breadcrumbs and empty states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from django.utils.functional import Promise

Text: TypeAlias = str | Promise


@dataclass(frozen=True)
class Button:
    """A link rendered as a button: the primary action of a page, or a next step."""

    label: Text
    url: str
    icon: str = ""


@dataclass(frozen=True)
class Crumb:
    """One breadcrumb. The last one has no URL."""

    title: Text
    url: str = ""


@dataclass(frozen=True)
class EmptyState:
    """What a list shows while the table is empty."""

    title: Text
    button: Button | None = None
    icon: str = "inbox"
    line: Text = ""
    is_warning: bool = False
