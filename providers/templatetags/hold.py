"""Template tags of the pages about what is on hold."""

from __future__ import annotations

from collections.abc import Mapping

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.times import short_time, when

from ..hold.holdable import HeldGroup

register = template.Library()


@register.filter
def grouped(number: int) -> str:
    """A count with its thousands apart: 5,721."""
    return f"{number:,}"


@register.filter
def chosen(choices: object, name: str) -> str:
    """What a rejected form had chosen in the field `name`. The field names hold a group's key."""
    return str(choices.get(name, "")) if isinstance(choices, Mapping) else ""


@register.filter
def choice_name(group: HeldGroup) -> str:
    """The name of the field with the decision about the group, see `admin.hold_form`."""
    return f"choice-{group.key}"


@register.simple_tag
def queued(group: HeldGroup) -> SafeString:
    """When the rows of the group were queued: one time, or the first and the last."""
    first, last = group.oldest or group.newest, group.newest
    if first is None or last is None or short_time(first) == short_time(last):
        return when(first)
    return format_html("{}–{}", when(first), when(last))
