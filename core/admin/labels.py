"""The registry of state labels, and the one function that renders them.

Each app registers its labels in `ready()`. Lists, filters, exports and detail pages then all use
the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from .buttons import Text


class Role(StrEnum):
    """The meaning of a colour. An icon and a word always accompany it."""

    INFO = "info"
    NEUTRAL = "neutral"
    WARNING = "warning"
    SUCCESS = "success"
    DANGER = "danger"


@dataclass(frozen=True)
class StateLabel:
    word: Text
    role: Role
    icon: str
    """A name in the Material Symbols font that the admin theme ships."""
    help: Text = ""


_registry: Final[dict[str, dict[str, StateLabel]]] = {}
_rendered: Final[dict[tuple[str, str, str | None], SafeString]] = {}
"""The labels that are registered as HTML, by language."""


def register_states(kind: str, states: Mapping[str, StateLabel]) -> None:
    """Register the labels for one kind of state. Adds to the labels that are there."""
    _rendered.clear()
    _registry.setdefault(kind, {}).update({str(value): label for value, label in states.items()})


def states_of(kind: str) -> Mapping[str, StateLabel]:
    return _registry.get(kind, {})


def label_for(kind: str, value: str) -> StateLabel:
    """The label of a value. An unknown value is its own label: raw is better than wrong."""
    known = _registry.get(kind, {}).get(str(value))
    return known or StateLabel(str(value), Role.NEUTRAL, "help")


def state_label(kind: str, value: str) -> SafeString:
    """Icon, word and role colour as HTML. The help text appears on hover, focus and tap."""
    if value not in _registry.get(kind, {}):
        return render_label(label_for(kind, value))
    # A list shows the same few again and again.
    key = (kind, str(value), get_language())
    if key not in _rendered:
        _rendered[key] = render_label(label_for(kind, value))
    return _rendered[key]


def render_label(label: StateLabel) -> SafeString:
    help_attributes = (
        format_html(' tabindex="0" data-help="{}"', label.help) if label.help else SafeString("")
    )
    return format_html(
        '<span class="state state-{}"{}>'
        '<span class="material-symbols-outlined" aria-hidden="true" translate="no">{}</span>'
        "<span>{}</span></span>",
        label.role,
        help_attributes,
        label.icon,
        label.word,
    )
