"""Template tags about callbacks."""

from __future__ import annotations

from django import template
from django.conf import settings
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.masking import data

from ..models import Account, CallbackTest
from ..presentation.callback_texts import verdict_text

register = template.Library()


@register.simple_tag
def report_hours() -> int:
    """The time after which a report counts as missing."""
    return int(settings.REPORT_HOURS)


@register.simple_tag(takes_context=True)
def account_link(context: template.Context, account: Account) -> SafeString:
    """The account's name, as a link if the reader is allowed to see the account."""
    if "providers.view_account" not in context["perms"]:
        return data(account.name)
    address = reverse("admin:providers_account_change", args=[account.public_id])
    return format_html('<a href="{}">{}</a>', address, data(account.name))


@register.filter
def verdict(test: CallbackTest) -> str:
    return verdict_text(test)
