"""Texts that explain why a row cannot be sent and why a batch is paused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from core.money_lines import MoneyLine
from core.phone import PhoneProblem, mask
from providers.error_texts import Words, register_reason
from providers.models import Account

from ..batches.fan_out import ALREADY_REPEATED
from ..batches.importing.validate import PHONE, RowProblem
from ..batches.lifecycle import LIMIT_REACHED, NOT_ALLOWED
from ..do_not_send import REASON as DO_NOT_SEND
from ..models import StagedRow
from ..recipients import country_text, phone_problem_text

REASONS: Final = {
    NOT_ALLOWED: Words(
        gettext_noop("Whoever sent this may not send batches any more."),
        "",
        gettext_noop("Somebody who may can continue it."),
        MoneyLine.NOT_SENT,
    ),
    LIMIT_REACHED: Words(
        gettext_noop("The daily limit is used up (%(used)s of %(most)s)."),
        "",
        gettext_noop("Continue it when there is room again, or ask a manager."),
        MoneyLine.NOT_SENT,
    ),
    DO_NOT_SEND: Words(
        gettext_noop("The number was put on the do-not-send list."), "", "", MoneyLine.NOT_SENT
    ),
    ALREADY_REPEATED: Words(
        gettext_noop("It had been sent again already."), "", "", MoneyLine.NOT_SENT
    ),
}


MAX_DIGITS_LEFT: Final = 6
"""Most digits that a spreadsheet keeps of a number that it shortens."""


def register() -> None:
    for reason, words in REASONS.items():
        register_reason(reason, words)


def problem_text(row: StagedRow, account: Account, *, whole: bool) -> str:
    """Explain why a row cannot be sent. `whole`: the reader may see the typed number."""
    values: dict[str, Any] = {"position": None, "digits": None, "expected": None}
    values |= row.values or {}
    if row.problem.startswith(PHONE):
        kind = PhoneProblem(row.problem.removeprefix(PHONE))
        if kind == PhoneProblem.EMPTY:
            return _("No phone number in this row.")
        if kind == PhoneProblem.SHORTENED:
            return _(
                "Excel shortened this number (%(typed)s). Format the column as text and enter"
                " it again."
            ) % {"typed": shown_typed(row, whole=whole)}
        return phone_problem_text(kind, **values, typed=shown_typed(row, whole=whole))
    if row.problem == RowProblem.COUNTRY:
        return country_text(account, values["country"])
    if row.problem == RowProblem.PROVIDER:
        return _(values.pop("text")) % values
    words = _TEXTS.get(row.problem)
    return words() % values if words else row.problem


def shown_typed(row: StagedRow, *, whole: bool) -> str:
    """Return the number as the file has it, masked unless the reader may see it.

    A number that a spreadsheet shortened identifies nobody, unless most of its digits are left.
    """
    shortened = row.problem == f"{PHONE}{PhoneProblem.SHORTENED}"
    digits = sum(sign.isdigit() for sign in row.typed.upper().partition("E")[0])
    if whole or (shortened and digits <= MAX_DIGITS_LEFT):
        return row.typed
    return mask(row.typed)


_TEXTS: Final[dict[str, Callable[[], str]]] = {
    RowProblem.REPEATED: lambda: _("The same number as in row %(row)s."),
    RowProblem.LISTED: lambda: _("On the do-not-send list."),
    RowProblem.EMPTY_PLACE: lambda: _("Nothing in the column “%(column)s”, which the text names."),
    RowProblem.TOO_LONG: lambda: _(
        "The text takes %(segments)s segments; at most %(most)s are sent."
    ),
}
