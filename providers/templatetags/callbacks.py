"""How templates say what is known of callbacks."""

from __future__ import annotations

from django import template
from django.conf import settings

from ..models import CallbackTest
from ..presentation.callback_texts import verdict_of

register = template.Library()


@register.simple_tag
def report_hours() -> int:
    """So long a report is waited for."""
    return int(settings.REPORT_HOURS)


@register.filter
def verdict(test: CallbackTest) -> str:
    return verdict_of(test)
