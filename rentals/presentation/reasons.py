"""The texts of reasons that only orders have."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_noop

from core.money_lines import MoneyLine
from providers.error_texts import register_reason
from providers.reason_text import ReasonText

from ..place_orders import (
    APPROVAL_TIMED_OUT,
    NO_NUMBER_IN_TIME,
    NOT_ALLOWED,
    REJECTED,
    WAITED_TOO_LONG,
)
from ..reconciliation import NOT_FOUND_THERE

_AGAIN: Final = gettext_noop("Rent a number again if it is still needed.")

REASONS: Final = {
    WAITED_TOO_LONG: ReasonText(
        gettext_noop("Not ordered: it waited too long."),
        gettext_noop("The number may no longer be needed."),
        _AGAIN,
        MoneyLine.NOT_SENT,
    ),
    NOT_ALLOWED: ReasonText(
        gettext_noop("No order was placed."),
        gettext_noop("The person who requested it no longer has permission to rent numbers."),
        _AGAIN,
        MoneyLine.NOT_SENT,
    ),
    NO_NUMBER_IN_TIME: ReasonText(
        gettext_noop("No number became available in that time."),
        "",
        gettext_noop("Choose another country/region or app, or try again later."),
        MoneyLine.REFUSED,
    ),
    NOT_FOUND_THERE: ReasonText(
        gettext_noop("No number was rented."),
        gettext_noop(
            "The order appears neither in the provider's order list nor in its transactions."
        ),
        _AGAIN,
        MoneyLine.NOT_SPENT,
    ),
    REJECTED: ReasonText(
        gettext_noop("Not ordered: a second person did not agree."), "", "", MoneyLine.NOT_SENT
    ),
    APPROVAL_TIMED_OUT: ReasonText(
        gettext_noop("Not ordered: it was not approved in time, or has changed."),
        gettext_noop("It is beyond a limit, so a second person must agree."),
        gettext_noop("Rent again if the numbers are still needed."),
        MoneyLine.NOT_SENT,
    ),
}


def register() -> None:
    for reason, text in REASONS.items():
        register_reason(reason, text)
