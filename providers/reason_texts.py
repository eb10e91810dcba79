"""What staff read about each reason of a failed call: title, text, next step, money line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext_noop

from .accounts import BY_HAND, REFUSED_IN_A_ROW
from .connection_texts import CONNECTION_TEXTS
from .engine.account_check_source import TOO_LATE
from .gateway.vocabulary import Reason
from .hold.holdable import FROM_BEFORE
from .reason_text import ReasonText

_ = gettext_noop

_SETTLE: Final = _("Set the outcome.")
_ASK_THEN_SETTLE: Final = _("Ask the recipient, then set the outcome.")
_CHECK_AGAIN: Final = _("Check again in a moment. If this continues, contact the provider.")
_CORRECT: Final = _("Correct the address.")
_REPLACE: Final = _("Replace the key, then check the connection.")
_PROVIDERS_WORDS: Final = _("The provider's message is below.")
_CORRECT_REQUEST: Final = _("Correct what it names, or contact the provider.")
_WORDLESS: Final = {
    "text": _("The provider gave no message."),
    "next_step": _("Contact the provider."),
}
_REDIRECTED: Final = _("The address of this account redirected to %(detail)s.")
_REDIRECTED_ELSEWHERE: Final = _("The address of this account redirected elsewhere.")
_NOT_FOLLOWED: Final = _("The portal never follows redirects.")
_SLASH: Final = _(
    "The provider redirects the send address to one that differs only in its trailing slash."
)
_SWITCH_SLASH: Final = _(
    "Change the option “Trailing slash in the send address” in the account's settings, then resume."
)

TEXTS: Final[Mapping[str, ReasonText]] = {
    Reason.CREDENTIALS: ReasonText(
        _("The provider did not accept the credentials."),
        _("The API key or password was wrong or had expired."),
        _REPLACE,
        "R",
    ),
    Reason.ACCOUNT_DISABLED: ReasonText(
        _("The provider had disabled this account or not activated it yet."),
        "",
        _("Contact the provider, then resume."),
        "R",
    ),
    Reason.NO_BALANCE: ReasonText(
        _("Insufficient balance."),
        _("The provider refused because of insufficient balance. %(n)s messages are waiting."),
        _("Top up or request a higher credit limit, then resume."),
        "R",
        {"text": _("The provider refused because of insufficient balance.")},
    ),
    Reason.PARAMETERS: ReasonText(
        _("Wrong parameters: the provider did not accept the request."),
        _PROVIDERS_WORDS,
        _CORRECT_REQUEST,
        "R",
        wordless=_WORDLESS,
    ),
    Reason.BAD_NUMBER: ReasonText(
        _("The provider reports that the number does not exist."),
        "",
        _("Read the number back to the customer."),
        "R",
    ),
    Reason.NO_NUMBER_AVAILABLE: ReasonText(
        _("No number available for %(app)s in %(country)s."),
        "",
        _("Choose another country/region or app, or keep trying for %(n)s minutes."),
        "R",
        {
            "title": _("No number available."),
            "next_step": _("Choose another country/region or app, or try again later."),
        },
    ),
    Reason.PRICE_NOT_CALCULATED: ReasonText(
        _("Price calculation failed at the provider."),
        "",
        _("Ask the provider to check its price settings."),
        "R",
    ),
    Reason.ORDER_NOT_FOUND: ReasonText(
        _("The provider has no such order."),
        "",
        _("Compare the order id with the provider's own list."),
    ),
    Reason.ORDER_EXPIRED: ReasonText(
        _("The order expired at %(time)s without an SMS."),
        "",
        _("Rent another number, and check the refund under Transactions."),
        plain={"title": _("The order has expired without an SMS.")},
    ),
    Reason.OTHER_REFUSAL: ReasonText(
        _("The provider refused."),
        _PROVIDERS_WORDS,
        _CORRECT_REQUEST,
        "R",
        wordless=_WORDLESS,
    ),
    Reason.NOTHING_THERE: ReasonText(
        _("Nothing answers under this address."),
        _("The server answered HTTP 404 (not found) without a message."),
        _("Compare the address of the account with the provider's document."),
        "R",
    ),
    Reason.CANNOT_TAKE: ReasonText(
        _("Not submitted: the provider does not support this."),
        "",
        _("Choose another account."),
        "L",
    ),
    Reason.RATE_LIMITED: ReasonText(
        _("Too many requests: the provider asked to slow down."),
        _("The portal will continue automatically in %(n)s s."),
        _("No action needed."),
        "N",
        {"text": _("The portal will continue automatically.")},
    ),
    **CONNECTION_TEXTS,
    Reason.FORBIDDEN_ADDRESS: ReasonText(
        _("The portal does not call the address of this account."),
        _("It is in a private network, or is not an https address."),
        _CORRECT,
        "N",
    ),
    Reason.REDIRECTED: ReasonText(
        _REDIRECTED, _NOT_FOLLOWED, _CORRECT, "N", {"title": _REDIRECTED_ELSEWHERE}
    ),
    Reason.REDIRECTED_TO_SLASH: ReasonText(_SLASH, _NOT_FOLLOWED, _SWITCH_SLASH, "N"),
    Reason.TIMED_OUT: ReasonText(
        _("No answer after %(n)s s."),
        _("The request was already sent."),
        _ASK_THEN_SETTLE,
        "U",
        {"title": _("No answer was received in time.")},
    ),
    Reason.CUT_OFF: ReasonText(
        _(
            "The connection was lost while the provider was processing the request, or the"
            " portal was stopped."
        ),
        "",
        _ASK_THEN_SETTLE,
        "U",
    ),
    FROM_BEFORE: ReasonText(
        _("This is from before a hold and was not sent again."),
        _("It is not known whether it was sent earlier."),
        _("If a report or the provider's list shows it, set the outcome."),
        "U",
    ),
    Reason.UNREADABLE: ReasonText(
        _("The provider's answer could not be read."),
        _("It was a web page, empty or incomplete."),
        _SETTLE,
        "U",
    ),
    Reason.CONTRADICTION: ReasonText(
        _("The provider's answer contradicts itself: it reports success and failure at once."),
        "",
        _SETTLE,
        "U",
    ),
    Reason.PROVIDER_FAULT: ReasonText(_("The provider had an internal error."), "", _SETTLE, "U"),
    Reason.PORTAL_FAULT: ReasonText(
        _("The portal failed after the request was sent."),
        "",
        _("Set the outcome, and tell the administrator."),
        "U",
    ),
    REFUSED_IN_A_ROW: ReasonText(
        _("The provider refused ten times in a row."),
        _("The provider's last message is below."),
        _("Correct what it names or contact the provider, then resume."),
        "R",
        wordless={
            "text": _WORDLESS["text"],
            "next_step": _("Contact the provider, then resume."),
        },
    ),
    BY_HAND: ReasonText(
        _("Paused by hand."), "", _("Check with the person who paused it, then resume.")
    ),
}
FREE_TEXTS: Final[Mapping[str, ReasonText]] = {
    Reason.CREDENTIALS: ReasonText(
        _("The provider did not accept the credentials."),
        _("The API key or password is wrong or expired."),
        _REPLACE,
    ),
    Reason.ACCOUNT_DISABLED: ReasonText(
        _("The provider has disabled this account or not activated it yet."),
        "",
        _("Contact the provider, then check again."),
    ),
    Reason.REDIRECTED: ReasonText(
        _REDIRECTED, "", _CORRECT, plain={"title": _REDIRECTED_ELSEWHERE}
    ),
    Reason.UNREACHABLE: ReasonText(
        _("The provider could not be reached."),
        "",
        _("Check the address. If it is right, check again in a moment."),
    ),
    Reason.TIMED_OUT: ReasonText(_("No answer was received in time."), "", _CHECK_AGAIN),
    Reason.CUT_OFF: ReasonText(
        _("The connection was lost while the provider was processing the request."),
        "",
        _CHECK_AGAIN,
    ),
    Reason.UNREADABLE: ReasonText(
        _("The provider's answer could not be read."),
        _("It was a web page, empty or incomplete."),
        _("Check the address. If it is right, check again in a moment."),
    ),
    Reason.CONTRADICTION: ReasonText(
        _("The provider's answer contradicts itself: it reports success and failure at once."),
        "",
        _CHECK_AGAIN,
    ),
    Reason.PROVIDER_FAULT: ReasonText(_("The provider had an internal error."), "", _CHECK_AGAIN),
    Reason.PORTAL_FAULT: ReasonText(
        _("The portal had an internal error."), "", _("Tell the administrator.")
    ),
    TOO_LATE: ReasonText(
        _("Not checked: the queue was not running."),
        "",
        _("Check again when the queue is running."),
    ),
}
