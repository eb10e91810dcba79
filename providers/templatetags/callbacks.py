"""Template tags about callbacks."""

from __future__ import annotations

from django import template
from django.conf import settings

from ..models import CallbackTest
from ..presentation.callback_texts import verdict_text

register = template.Library()


@register.simple_tag
def report_hours() -> int:
    """The time after which a report counts as missing."""
    return int(settings.REPORT_HOURS)


@register.filter
def verdict(test: CallbackTest) -> str:
    return verdict_text(test)
