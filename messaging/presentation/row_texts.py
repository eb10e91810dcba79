"""Explanations of why a row cannot be sent and why a batch does not continue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from core.money_lines import MoneyLine
from core.phones.parse import PhoneProblem, mask
from core.punctuation import listed
from providers.error_texts import register_reason
from providers.limit_texts import stored_limit_text
from providers.models import Account
from providers.reason_text import ReasonText

from ..batches.fan_out import ALREADY_RESENT
from ..batches.importing.validate import PHONE, RowProblem
from ..batches.lifecycle import APPROVAL_NEEDED, LIMIT_REACHED, MANY_FAILED, NOT_ALLOWED
from ..batches.prune_batches import NEVER_STARTED
from ..batches.row_caps import REASONS as REASONS_OF_CAPS
from ..do_not_send import REASON as DO_NOT_SEND
from ..models import Batch, StagedRow
from ..recipients import country_text, phone_problem_text

MAX_COSTLY: Final = 20

REASONS: Final = {
    NOT_ALLOWED: ReasonText(
        gettext_noop("The sender no longer has permission to send batches."),
        "",
        gettext_noop("Someone with this permission can continue it."),
        MoneyLine.NOT_SENT,
    ),
    LIMIT_REACHED: ReasonText(
        gettext_noop("A cap of the sender or the account is reached (%(used)s of %(most)s)."),
        "",
        gettext_noop("Continue when the cap allows it, or ask a manager."),
        MoneyLine.NOT_SENT,
    ),
    APPROVAL_NEEDED: ReasonText(
        gettext_noop("It did not start: a second person must agree first."),
        gettext_noop("It is beyond a limit, or has changed since it was approved."),
        gettext_noop("Continue it to request approval."),
        MoneyLine.NOT_SENT,
    ),
    MANY_FAILED: ReasonText(
        gettext_noop("Paused by the portal: %(failed)s of the first %(first)s messages failed."),
        gettext_noop("The rest is waiting; nothing is lost."),
        gettext_noop("Check the reasons below, then continue it or cancel the rest."),
        MoneyLine.NOT_SENT,
    ),
    NEVER_STARTED: ReasonText(
        gettext_noop("Not started within 30 days."),
        gettext_noop("Its recipients have been deleted."),
        gettext_noop("Create a new batch if it is still needed."),
        MoneyLine.NOT_SENT,
    ),
    DO_NOT_SEND: ReasonText(
        gettext_noop("The number was added to the do-not-send list."), "", "", MoneyLine.NOT_SENT
    ),
    ALREADY_RESENT: ReasonText(
        gettext_noop("It was already sent again."), "", "", MoneyLine.NOT_SENT
    ),
    REASONS_OF_CAPS["number"]: ReasonText(
        gettext_noop("Not sent: the cap for this number is reached."),
        "",
        gettext_noop("Ask a manager, or send it again later."),
        MoneyLine.NOT_SENT,
    ),
    REASONS_OF_CAPS["prefix"]: ReasonText(
        gettext_noop("Not sent: the cap for this number's prefix is reached."),
        "",
        gettext_noop("Ask a manager, or send it again later."),
        MoneyLine.NOT_SENT,
    ),
    REASONS_OF_CAPS["country"]: ReasonText(
        gettext_noop("Not sent: the cap for this number's country is reached."),
        "",
        gettext_noop("Ask a manager, or send it again later."),
        MoneyLine.NOT_SENT,
    ),
}


MAX_SHORTENED_DIGITS: Final = 6
"""Digits that a spreadsheet leaves of a number that it shortens."""


def register() -> None:
    for reason, words in REASONS.items():
        register_reason(reason, words)


def problem_text(row: StagedRow, account: Account, *, whole: bool) -> str:
    """The row's problem in words. `whole`: whether the reader may see the typed number."""
    unset = dict.fromkeys(("position", "digits", "expected", "country"))
    values: dict[str, Any] = {**unset, **(row.values or {})}
    if row.problem.startswith(PHONE):
        kind = PhoneProblem(row.problem.removeprefix(PHONE))
        if kind == PhoneProblem.EMPTY:
            return _("No phone number in this row.")
        if kind == PhoneProblem.SHORTENED:
            return _(
                "Excel shortened this number (%(typed)s). Format the column as text and enter"
                " it again."
            ) % {"typed": typed_text(row, whole=whole)}
        return phone_problem_text(kind, **values, typed=typed_text(row, whole=whole))
    if row.problem == RowProblem.COUNTRY:
        return country_text(account, values["country"])
    if row.problem == RowProblem.PROVIDER:
        return _(values.pop("text")) % values
    if row.problem == RowProblem.EMPTY_PLACE and values.get("word"):
        return (
            _("The column “%(column)s”, used in the text, contains only “%(word)s”: no value.")
            % values
        )
    if row.problem == RowProblem.CAP:
        return stored_limit_text(values)
    words = _WORDS.get(row.problem)
    return words() % values if words else row.problem


def typed_text(row: StagedRow, *, whole: bool) -> str:
    """The number as it is in the file, masked unless `whole`.

    A number that a spreadsheet shortened is shown: it identifies no one, unless it kept most of
    its digits.
    """
    shortened = row.problem == f"{PHONE}{PhoneProblem.SHORTENED}"
    digits = sum(sign.isdigit() for sign in row.typed.upper().partition("E")[0])
    if whole or (shortened and digits <= MAX_SHORTENED_DIGITS):
        return str(row.typed)
    return mask(str(row.typed))


_WORDS: Final[dict[str, Callable[[], str]]] = {
    RowProblem.REPEATED: lambda: _("The same number as in row %(row)s."),
    RowProblem.LISTED: lambda: _("On the do-not-send list."),
    RowProblem.EMPTY_PLACE: lambda: _(
        "The column “%(column)s”, used in the text, is empty in this row."
    ),
    RowProblem.SHORTENED_PLACE: lambda: _(
        "Excel shortened the value in the column “%(column)s” (%(value)s). Format the column as"
        " text and enter it again."
    ),
    RowProblem.MERGED_NUMBER: lambda: _(
        "The number's cell is merged over rows %(first)s to %(last)s. Give each row a number of its"
        " own."
    ),
    RowProblem.TOO_LONG: lambda: _("The text has %(segments)s segments; the maximum is %(most)s."),
}


def costly_rows_text(batch: Batch) -> str:
    """The first rows that need more segments than most."""
    costly = StagedRow.objects.filter(
        batch=batch, verdict=StagedRow.Verdict.GOOD, segments__gt=batch.usual_segments
    )
    rows = costly.order_by("pk").values_list("number", "segments")[:MAX_COSTLY]
    texts = [_("row %(number)s (%(size)s)") % {"number": row, "size": size} for row, size in rows]
    return listed([*texts, "…"] if batch.costly > len(texts) else texts)
