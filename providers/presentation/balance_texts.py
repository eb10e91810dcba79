"""The balance in words: a table's cell, and the line beside the choice of an account."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from core.templatetags.portal import amount
from core.times import when

from ..balances import Balance


def missing_text(balance: Balance) -> str:
    """Why there is no amount."""
    return gettext("not read yet") if balance.is_awaited else gettext("not provided")


def _missing_line(balance: Balance) -> str:
    if balance.is_awaited:
        return gettext("balance not read yet")
    return gettext("balance not provided")


def stale_text(balance: Balance) -> SafeString:
    """What contradicts the reading; empty if nothing does."""
    later = balance.later
    if later is None:
        return SafeString("")
    if later.balance is None:
        text = gettext("Out of date: the provider booked a transaction at {time}.")
        return format_html(text, time=when(later.at))
    text = gettext("Out of date: a transaction at {time} states {balance}.")
    return format_html(text, time=when(later.at), balance=amount(later.balance))


def balance_cell(balance: Balance) -> SafeString | str:
    """The amount as last read, with its age, since an old one means little."""
    if balance.amount is None:
        return missing_text(balance)
    return format_html(
        '<span class="number{}">{}</span> <span class="hint">{}</span>{}',
        " is-low" if balance.is_low else "",
        amount(balance.amount),
        format_html(gettext("as of {time}"), time=when(balance.read_at)),
        _stale_mark(balance),
    )


def balance_line(balance: Balance) -> SafeString:
    """The line beside the choice of an account."""
    if balance.amount is None:
        return format_html('<span class="hint">{}</span>', _missing_line(balance))
    credit = balance.reading.credit_limit if balance.reading else None
    values = {"amount": amount(balance.amount), "time": when(balance.read_at)}
    if credit is None:
        line = format_html(gettext("available {amount}, read {time}"), **values)
    else:
        text = gettext("available {amount}, credit limit {credit}, read {time}")
        line = format_html(text, credit=amount(credit), **values)
    return format_html('<span class="hint">{}</span>{}', line, _stale_mark(balance))


def _stale_mark(balance: Balance) -> SafeString:
    text = stale_text(balance)
    return format_html(' <span class="stale-balance">{}</span>', text) if text else text
