"""Explanations for staff of every reason why something failed.

`explain` turns a reason into a title, a text, a next step and the letter of the money line. Free
calls such as reading a balance have texts of their own: there is no recipient to ask, no outcome
to settle, and nothing could have been charged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.utils.translation import gettext, gettext_noop

from core.money_lines import MoneyLine
from core.times import short_time

from .accounts import BY_HAND, REFUSED_IN_A_ROW
from .engine.account_check_source import TOO_LATE
from .gateway.vocabulary import Reason
from .hold.holdable import FROM_BEFORE

_ = gettext_noop


@dataclass(frozen=True, slots=True)
class Explanation:
    """A translated explanation. Any part may be empty; `money` is a letter of `MoneyLine`."""

    title: str = ""
    text: str = ""
    next_step: str = ""
    money: str = ""


@dataclass(frozen=True, slots=True)
class ReasonText:
    """The English source of an explanation, marked for translation.

    A part with %(placeholders)s needs a version without them in `plain`, which is used if a value
    is missing.
    """

    title: str
    text: str = ""
    next_step: str = ""
    money: str = ""
    plain: Mapping[str, str] = field(default_factory=dict)


_SETTLE: Final = _("Settle the outcome.")
_ASK_THEN_SETTLE: Final = _("Ask the recipient, then settle the outcome.")
_CHECK_AGAIN: Final = _("Check again in a moment. If it lasts, ask the provider.")
_CORRECT: Final = _("Correct the address.")
_REPLACE: Final = _("Replace the key, then check the connection.")
_PROVIDERS_WORDS: Final = _("Its own words are below.")
_CORRECT_REQUEST: Final = _("Correct what they name, or ask the provider.")

_texts: Final[dict[str, ReasonText]] = {
    Reason.CREDENTIALS: ReasonText(
        _("The provider did not accept the login."),
        _(
            "API key or password is wrong or no longer valid. The account is paused, the rest"
            " waits."
        ),
        _REPLACE,
        "R",
    ),
    Reason.ACCOUNT_DISABLED: ReasonText(
        _("The provider has disabled this account, or not activated it."),
        _("It is paused here."),
        _("Contact the provider, then resume."),
        "R",
    ),
    Reason.NO_BALANCE: ReasonText(
        _("The account has no balance."),
        _("The provider refused for lack of money. %(n)s wait."),
        _("Top up or have the credit limit raised, then resume."),
        "R",
        {"text": _("The provider refused for lack of money.")},
    ),
    Reason.PARAMETERS: ReasonText(
        _("The provider finds something in the request wrong."),
        _PROVIDERS_WORDS,
        _CORRECT_REQUEST,
        "R",
    ),
    Reason.BAD_NUMBER: ReasonText(
        _("The provider says the number does not exist."),
        "",
        _("Read it back to the customer."),
        "R",
    ),
    Reason.NO_NUMBER_AVAILABLE: ReasonText(
        _("No number is free for %(app)s in %(country)s."),
        "",
        _("Another country or app, or keep trying for %(n)s minutes."),
        "R",
        {
            "title": _("No number is free."),
            "next_step": _("Another country or app, or try again later."),
        },
    ),
    Reason.PRICE_NOT_CALCULATED: ReasonText(
        _("The provider could not work out the price."),
        "",
        _("Ask the provider to check its price settings."),
        "R",
    ),
    Reason.ORDER_NOT_FOUND: ReasonText(
        _("The provider does not know this order."),
        "",
        _("Compare the order id with the provider's own list."),
    ),
    Reason.ORDER_EXPIRED: ReasonText(
        _("The order ended at %(time)s without an SMS."),
        "",
        _("Rent another; check the refund in the ledger."),
        plain={"title": _("The order has ended without an SMS.")},
    ),
    Reason.OTHER_REFUSAL: ReasonText(
        _("The provider refused."), _PROVIDERS_WORDS, _CORRECT_REQUEST, "R"
    ),
    Reason.CANNOT_TAKE: ReasonText(
        _("The provider cannot take this, so it was not asked."),
        "",
        _("Choose another account."),
        "L",
    ),
    Reason.RATE_LIMITED: ReasonText(
        _("The provider asks to slow down."),
        _("The portal waits %(n)s s and goes on by itself."),
        _("Nothing to do."),
        "N",
        {"text": _("The portal waits and goes on by itself.")},
    ),
    Reason.UNREACHABLE: ReasonText(
        _("The provider could not be reached."),
        _("Tried %(n)s times, next at %(time)s."),
        _("If it lasts: check the address, use another account."),
        "N",
        {"text": ""},
    ),
    Reason.FORBIDDEN_ADDRESS: ReasonText(
        _("This portal does not call the address of this account."),
        _("It leads into a private network, or it is not an https address."),
        _CORRECT,
        "N",
    ),
    Reason.REDIRECTED: ReasonText(
        _("The address of this account points elsewhere."),
        _("The account is paused."),
        _CORRECT,
        "N",
    ),
    Reason.TIMED_OUT: ReasonText(
        _("No answer after %(n)s s."),
        _("The request had been sent."),
        _ASK_THEN_SETTLE,
        "U",
        {"title": _("No answer came in time.")},
    ),
    Reason.CUT_OFF: ReasonText(
        _("The connection broke while the provider was working, or the portal was stopped."),
        "",
        _ASK_THEN_SETTLE,
        "U",
    ),
    FROM_BEFORE: ReasonText(
        _("This is from before a hold and was not sent again."),
        _("Whether it went out before is not known."),
        _("If a report or the provider's own list shows it, settle the outcome."),
        "U",
    ),
    Reason.UNREADABLE: ReasonText(
        _("The provider answered with something unreadable."),
        _("It was a web page, nothing, or half an answer."),
        _SETTLE,
        "U",
    ),
    Reason.CONTRADICTION: ReasonText(
        _("The provider's answer contradicts itself: success and error at once."), "", _SETTLE, "U"
    ),
    Reason.PROVIDER_FAULT: ReasonText(_("The provider had a fault of its own."), "", _SETTLE, "U"),
    Reason.PORTAL_FAULT: ReasonText(
        _("The portal had a fault after the request had been sent."),
        "",
        _("Settle the outcome, and tell the administrator."),
        "U",
    ),
    REFUSED_IN_A_ROW: ReasonText(
        _("The provider refused ten times in a row."),
        _("The account is paused, the rest waits. The provider's last words are below."),
        _("Correct what they name, or ask the provider, then resume."),
        "R",
    ),
    BY_HAND: ReasonText(_("Paused by a person."), "", _("Ask that person, then resume.")),
}
_free_texts: Final[dict[str, ReasonText]] = {
    Reason.CREDENTIALS: ReasonText(
        _("The provider did not accept the login."),
        _("API key or password is wrong or no longer valid."),
        _REPLACE,
    ),
    Reason.ACCOUNT_DISABLED: ReasonText(
        _("The provider has disabled this account, or not activated it."),
        "",
        _("Contact the provider, then check again."),
    ),
    Reason.REDIRECTED: ReasonText(_("The address of this account points elsewhere."), "", _CORRECT),
    Reason.UNREACHABLE: ReasonText(
        _("The provider could not be reached."),
        "",
        _("Check the address. If it is right, check again in a moment."),
    ),
    Reason.TIMED_OUT: ReasonText(_("No answer came in time."), "", _CHECK_AGAIN),
    Reason.CUT_OFF: ReasonText(
        _("The connection broke while the provider was working."), "", _CHECK_AGAIN
    ),
    Reason.UNREADABLE: ReasonText(
        _("The provider answered with something unreadable."),
        _("It was a web page, nothing, or half an answer."),
        _("Check the address. If it is right, check again in a moment."),
    ),
    Reason.CONTRADICTION: ReasonText(
        _("The provider's answer contradicts itself: success and error at once."), "", _CHECK_AGAIN
    ),
    Reason.PROVIDER_FAULT: ReasonText(_("The provider had a fault of its own."), "", _CHECK_AGAIN),
    Reason.PORTAL_FAULT: ReasonText(
        _("The portal had a fault of its own."), "", _("Tell the administrator.")
    ),
    TOO_LATE: ReasonText(
        _("The provider was not asked: the queue did not run."),
        "",
        _("Check again when it runs."),
    ),
}


def register_reason(reason: str, text: ReasonText) -> None:
    """Register the text of a reason of an app above, such as `waited_too_long`."""
    _texts[reason] = text


def is_known(reason: str) -> bool:
    return reason in _texts or reason in _free_texts


def explain(reason: str, *, free: bool = False, **values: object) -> Explanation:
    """Explain a reason in the reader's language.

    :param free: whether the call was free, so that neither money nor an outcome is at stake.
    :param values: values for the placeholders (n, time, app, country). If one is missing, the
        version without it is used.
    """
    source = (_free_texts.get(reason) if free else None) or _texts.get(reason)
    source = source or _free_texts.get(reason)
    if source is None:
        # A reason of a newer version, or a mistake: showing it beats showing a wrong text.
        return Explanation(reason, "", "", "")
    return Explanation(
        title=_fill(source, "title", values),
        text=_fill(source, "text", values),
        next_step=_fill(source, "next_step", values),
        money="" if free else source.money,
    )


def explain_pause(account_name: str) -> Explanation:
    """Explain why something waits: its account is paused."""
    text = gettext("%(account)s is paused. This waits until the account is resumed.")
    return Explanation(text=text % {"account": account_name}, money=MoneyLine.NOT_SENT)


def retry_values(
    reason: str, tries: int, retry_at: datetime | None, waiting: Callable[[], int]
) -> dict[str, object]:
    """Values for `explain` of a reason that leads to a retry.

    :param retry_at: when the next try is due, if there is one.
    :param waiting: counts the rows that wait for the account.
    """
    if reason == Reason.UNREACHABLE:
        return {"n": tries, **({"time": short_time(retry_at)} if retry_at else {})}
    if reason == Reason.NO_BALANCE:
        return {"n": waiting()}
    return {}


def _fill(source: ReasonText, part: str, values: Mapping[str, object]) -> str:
    text: str = getattr(source, part)
    if not text:
        return ""
    try:
        return gettext(text) % values
    except KeyError:
        plain = source.plain.get(part, "")
        return gettext(plain) if plain else ""
