"""Template tags about balances."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString

from ..balances import Balance
from ..presentation.balance_texts import stale_text

register = template.Library()


@register.simple_tag
def stale_balance(balance: Balance) -> SafeString:
    """What contradicts the reading; empty if nothing does."""
    return stale_text(balance)
