"""Explanations for staff of every reason why something failed.

`explain` turns a reason into a title, a text, a next step and the letter of the money line. Free
calls such as reading a balance have texts of their own: there is no recipient to ask, no outcome
to settle, and nothing could have been charged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.translation import gettext

from core.money_lines import MoneyLine
from core.punctuation import join_sentences
from core.templatetags.portal import visible
from core.times import short_time

from .accounts import BY_HAND, REFUSED_IN_A_ROW
from .gateway.reason_kinds import DETAILED, NOT_CONNECTED
from .gateway.vocabulary import PAUSING, Reason
from .pause_facts import PauseFact
from .reason_text import ReasonText
from .reason_texts import FREE_TEXTS, TEXTS


@dataclass(frozen=True, slots=True)
class Explanation:
    """A translated explanation. Any part may be empty; `money` is a letter of `MoneyLine`."""

    title: str = ""
    text: str = ""
    next_step: str = ""
    money: str = ""


_texts: Final = dict(TEXTS)
"""The apps add texts for their own reasons (`register_reason`)."""


def register_reason(reason: str, text: ReasonText) -> None:
    """Register the text of a reason of an app above, such as `waited_too_long`."""
    _texts[reason] = text


def is_known(reason: str) -> bool:
    return reason in _texts or reason in FREE_TEXTS


ACCOUNT_STEPS: Final = frozenset(
    {*PAUSING, Reason.FORBIDDEN_ADDRESS, Reason.NOTHING_THERE, REFUSED_IN_A_ROW, BY_HAND}
)
"""Reasons whose next step changes the account."""


def own_words(reason: str, words: str) -> str:
    """The provider's own words beside an explanation.

    Empty if they are a fact that the explanation itself contains, such as a date.
    """
    return "" if reason in DETAILED else words


def explain(
    reason: str,
    *,
    free: bool = False,
    words: str | None = None,
    pause: PauseFact | None = None,
    may_fix: bool = True,
    **values: object,
) -> Explanation:
    """Explain a reason in the reader's language.

    :param free: whether the call was free, so that neither money nor an outcome is at stake.
    :param words: the stored words of the provider, or "" if it gave none; None if the page does
        not know them.
    :param pause: the pause of the account that this failure led to, if it did. Once that is over,
        no step is left.
    :param may_fix: whether the reader may change accounts.
    :param values: values for the placeholders (n, time, app, country). If one is missing, the
        version without it is used.
    """
    source = (FREE_TEXTS.get(reason) if free else None) or _texts.get(reason)
    source = source or FREE_TEXTS.get(reason)
    if source is None:
        # A reason of a newer version, or a mistake: showing it beats showing a wrong text.
        return Explanation(reason, "", "", "")
    if words and reason in DETAILED:
        values["detail"] = visible(words)
    title, text, next_step = (
        gettext(source.wordless[part])
        if words == "" and part in source.wordless
        else _fill(source, part, values)
        for part in ("title", "text", "next_step")
    )
    return Explanation(
        title,
        join_sentences(text, pause.text if pause else ""),
        _next_step(reason, next_step, pause, may_fix=may_fix),
        "" if free else source.money,
    )


def _next_step(reason: str, step: str, pause: PauseFact | None, *, may_fix: bool) -> str:
    if reason not in ACCOUNT_STEPS:
        return step
    if pause is not None and pause.is_over:
        return ""
    if may_fix or not step:
        return step
    return gettext("Ask a manager to put the account in order, or use another account.")


def explain_pause(account_name: str) -> Explanation:
    """Explain why something waits: its account is paused."""
    text = gettext("%(account)s is paused. Messages will be sent when the account is resumed.")
    return Explanation(text=text % {"account": account_name}, money=MoneyLine.NOT_SENT)


def retry_values(
    reason: str, tries: int, retry_at: datetime | None, waiting: Callable[[], int]
) -> dict[str, object]:
    """Values for `explain` of a reason that leads to a retry.

    :param retry_at: when the next try is due, if there is one.
    :param waiting: counts the rows that wait for the account.
    """
    if reason in NOT_CONNECTED:
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
