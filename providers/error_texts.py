"""What staff are told when something did not go through: the one place for these texts.

`explain` turns a reason into title, explanation, next step and the letter of the money
line. The texts about a free question (reading a balance) differ: there is no recipient
to ask and no outcome to settle, and nothing could have been charged.
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

_ = gettext_noop


@dataclass(frozen=True, slots=True)
class Explanation:
    """In the reader's language. Any part may be empty; `money` is a `MoneyLine` letter."""

    title: str = ""
    text: str = ""
    next_step: str = ""
    money: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """English, marked for translation. A part with %(places)s needs a plainer one in
    `plain` that takes its place where a value is not known."""

    title: str
    text: str = ""
    next_step: str = ""
    money: str = ""
    plain: Mapping[str, str] = field(default_factory=dict)


_SETTLE: Final = _("Settle the outcome.")
_ASK_THEN_SETTLE: Final = _("Ask the recipient, then settle the outcome.")
_AGAIN: Final = _("Check again in a moment. If it lasts, ask the provider.")
_CORRECT: Final = _("Correct the address.")
_REPLACE: Final = _("Replace the key, then check the connection.")
_OWN_WORDS: Final = _("Its own words are below.")
_CORRECT_WHAT: Final = _("Correct what they name, or ask the provider.")

_words: Final[dict[str, Words]] = {
    Reason.CREDENTIALS: Words(
        _("The provider did not accept the login."),
        _(
            "API key or password is wrong or no longer valid. The account is paused, the rest"
            " waits."
        ),
        _REPLACE,
        "R",
    ),
    Reason.ACCOUNT_DISABLED: Words(
        _("The provider has disabled this account, or not activated it."),
        _("It is paused here."),
        _("Contact the provider, then resume."),
        "R",
    ),
    Reason.NO_BALANCE: Words(
        _("The account has no balance."),
        _("The provider refused for lack of money. %(n)s wait."),
        _("Top up or have the credit limit raised, then resume."),
        "R",
        {"text": _("The provider refused for lack of money.")},
    ),
    Reason.PARAMETERS: Words(
        _("The provider finds something in the request wrong."), _OWN_WORDS, _CORRECT_WHAT, "R"
    ),
    Reason.BAD_NUMBER: Words(
        _("The provider says the number does not exist."),
        "",
        _("Read it back to the customer."),
        "R",
    ),
    Reason.NO_NUMBER_AVAILABLE: Words(
        _("No number is free for %(app)s in %(country)s."),
        "",
        _("Another country or app, or keep trying for %(n)s minutes."),
        "R",
        {
            "title": _("No number is free."),
            "next_step": _("Another country or app, or try again later."),
        },
    ),
    Reason.PRICE_NOT_CALCULATED: Words(
        _("The provider could not work out the price."),
        "",
        _("Ask the provider to check its price settings."),
        "R",
    ),
    Reason.ORDER_NOT_FOUND: Words(
        _("The provider does not know this order."),
        "",
        _("Compare the order id with the provider's own list."),
    ),
    Reason.ORDER_EXPIRED: Words(
        _("The order ended at %(time)s without an SMS."),
        "",
        _("Rent another; check the refund in the ledger."),
        plain={"title": _("The order has ended without an SMS.")},
    ),
    Reason.OTHER_REFUSAL: Words(_("The provider refused."), _OWN_WORDS, _CORRECT_WHAT, "R"),
    Reason.CANNOT_TAKE: Words(
        _("The provider cannot take this, so it was not asked."),
        "",
        _("Choose another account."),
        "L",
    ),
    Reason.RATE_LIMITED: Words(
        _("The provider asks to slow down."),
        _("The portal waits %(n)s s and goes on by itself."),
        _("Nothing to do."),
        "N",
        {"text": _("The portal waits and goes on by itself.")},
    ),
    Reason.UNREACHABLE: Words(
        _("The provider could not be reached."),
        _("Tried %(n)s times, next at %(time)s."),
        _("If it lasts: check the address, use another account."),
        "N",
        {"text": ""},
    ),
    Reason.FORBIDDEN_ADDRESS: Words(
        _("This portal does not call the address of this account."),
        _("It leads into a private network, or it is not an https address."),
        _CORRECT,
        "N",
    ),
    Reason.REDIRECTED: Words(
        _("The address of this account points elsewhere."),
        _("The account is paused."),
        _CORRECT,
        "N",
    ),
    Reason.TIMED_OUT: Words(
        _("No answer after %(n)s s."),
        _("The request had been sent."),
        _ASK_THEN_SETTLE,
        "U",
        {"title": _("No answer came in time.")},
    ),
    Reason.CUT_OFF: Words(
        _("The connection broke while the provider was working, or the portal was stopped."),
        "",
        _ASK_THEN_SETTLE,
        "U",
    ),
    Reason.UNREADABLE: Words(
        _("The provider answered with something unreadable."),
        _("It was a web page, nothing, or half an answer."),
        _SETTLE,
        "U",
    ),
    Reason.CONTRADICTION: Words(
        _("The provider's answer contradicts itself: success and error at once."), "", _SETTLE, "U"
    ),
    Reason.PROVIDER_FAULT: Words(_("The provider had a fault of its own."), "", _SETTLE, "U"),
    Reason.PORTAL_FAULT: Words(
        _("The portal had a fault after the request had been sent."),
        "",
        _("Settle the outcome, and tell the administrator."),
        "U",
    ),
    REFUSED_IN_A_ROW: Words(
        _("The provider refused ten times in a row."),
        _("The account is paused, the rest waits. The provider's last words are below."),
        _("Correct what they name, or ask the provider, then resume."),
        "R",
    ),
    BY_HAND: Words(_("Paused by a person."), "", _("Ask that person, then resume.")),
}
_free_words: Final[dict[str, Words]] = {
    Reason.CREDENTIALS: Words(
        _("The provider did not accept the login."),
        _("API key or password is wrong or no longer valid."),
        _REPLACE,
    ),
    Reason.ACCOUNT_DISABLED: Words(
        _("The provider has disabled this account, or not activated it."),
        "",
        _("Contact the provider, then check again."),
    ),
    Reason.REDIRECTED: Words(_("The address of this account points elsewhere."), "", _CORRECT),
    Reason.UNREACHABLE: Words(
        _("The provider could not be reached."),
        "",
        _("Check the address. If it is right, check again in a moment."),
    ),
    Reason.TIMED_OUT: Words(_("No answer came in time."), "", _AGAIN),
    Reason.CUT_OFF: Words(_("The connection broke while the provider was working."), "", _AGAIN),
    Reason.UNREADABLE: Words(
        _("The provider answered with something unreadable."),
        _("It was a web page, nothing, or half an answer."),
        _("Check the address. If it is right, check again in a moment."),
    ),
    Reason.CONTRADICTION: Words(
        _("The provider's answer contradicts itself: success and error at once."), "", _AGAIN
    ),
    Reason.PROVIDER_FAULT: Words(_("The provider had a fault of its own."), "", _AGAIN),
    Reason.PORTAL_FAULT: Words(
        _("The portal had a fault of its own."), "", _("Tell the administrator.")
    ),
    TOO_LATE: Words(
        _("The provider was not asked: the queue did not run."),
        "",
        _("Check again when it runs."),
    ),
}


def register_reason(reason: str, words: Words) -> None:
    """Apps above name what ends their own things (`waited_too_long`)."""
    _words[reason] = words


def is_known(reason: str) -> bool:
    return reason in _words or reason in _free_words


def explain(reason: str, *, free: bool = False, **values: object) -> Explanation:
    """What to say about a reason. `values` fill the places of its texts (n, time, app,
    country); a text whose value is missing is said without it. `free`: nothing but a
    question was asked, so neither money nor an outcome is at stake.
    """
    words = (_free_words.get(reason) if free else None) or _words.get(reason)
    words = words or _free_words.get(reason)
    if words is None:
        # A word from a newer version, or a mistake: the raw word beats a wrong text.
        return Explanation(reason, "", "", "")
    return Explanation(
        title=_filled(words, "title", values),
        text=_filled(words, "text", values),
        next_step=_filled(words, "next_step", values),
        money="" if free else words.money,
    )


def explain_pause(account_name: str) -> Explanation:
    """Of something that waits because its account is paused."""
    text = gettext("%(account)s is paused. This waits until the account is resumed.")
    return Explanation(text=text % {"account": account_name}, money=MoneyLine.NOT_SENT)


def values_of_retries(
    reason: str, tries: int, retry_at: datetime | None, waiting: Callable[[], int]
) -> dict[str, object]:
    """The values for `explain` of reasons after which something is tried again. `retry_at`:
    when, if it will be. `waiting` counts what waits on the account."""
    if reason == Reason.UNREACHABLE:
        return {"n": tries, **({"time": short_time(retry_at)} if retry_at else {})}
    if reason == Reason.NO_BALANCE:
        return {"n": waiting()}
    return {}


def _filled(words: Words, part: str, values: Mapping[str, object]) -> str:
    text: str = getattr(words, part)
    if not text:
        return ""
    try:
        return gettext(text) % values
    except KeyError:
        plain = words.plain.get(part, "")
        return gettext(plain) if plain else ""
