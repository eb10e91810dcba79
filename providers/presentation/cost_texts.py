"""What a paid button costs, and what the balance allows after it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from django.contrib.auth.models import AnonymousUser, User
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from core.templatetags.portal import amount

from ..balances import balance_of
from ..models import Account

MAY_SET_PRICE = "providers.change_account"


def cost_line(account: Account, segments: int, reader: User | AnonymousUser) -> SafeString:
    """The cost of SMS with `segments` in all, and how many more the balance pays for."""
    price = account.price_per_segment
    if price is None:
        return _missing_price(account, reader)
    cost = price * segments
    about = gettext("About %(cost)s") % {"cost": amount(cost)}
    return format_html("{}{}", about, rest_after(account, cost, price, _sms_left))


def _sms_left(left: int) -> str:
    text = ngettext("after this about %(n)s SMS left", "after this about %(n)s SMS left", left)
    return text % {"n": f"{left:,}"}


def rest_after(
    account: Account, cost: Decimal, each: Decimal, words: Callable[[int], str]
) -> SafeString:
    """How many more at the price of `each` the balance pays for, as far as it is known."""
    balance = balance_of(account).amount
    if balance is None or each <= 0:
        return SafeString("")
    if cost > balance:
        return format_html(
            ' · <strong class="quiet-problem">{}</strong>', gettext("more than the balance")
        )
    return format_html(" · {}", words(int((balance - cost) / each)))


def _missing_price(account: Account, reader: User | AnonymousUser) -> SafeString:
    """Calm words: without a price everything works, only nothing is estimated."""
    words = gettext("No price is set, so the cost is not estimated.")
    if not reader.has_perm(MAY_SET_PRICE):
        return format_html('<span class="hint">{}</span>', words)
    return format_html(
        # The gap is one of the style sheet: Chinese sentences have no blank between them.
        '<span class="hint">{}<a class="next-words" href="{}">{}</a></span>',
        words,
        reverse("admin:providers_account_change", args=[account.public_id]),
        gettext("Set the price"),
    )
