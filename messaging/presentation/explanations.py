"""Explanations on a message's page: what happened, the money, the next step."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, pgettext

from core.admin.labels import label_for
from core.money_lines import MoneyLine
from core.punctuation import join_sentences, listed
from core.templatetags.portal import amount
from core.times import duration, short_time
from providers import clock
from providers.error_texts import Explanation, explain, explain_pause, register_reason, retry_values
from providers.gateway.vocabulary import Reason
from providers.limit_texts import stored_limit_text
from providers.models import BalanceReading
from providers.pause_facts import PauseFact, Reader, may_fix_accounts, pause_fact
from providers.reason_text import ReasonText

from ..apply_report import FINAL
from ..batches.importing.validate import RowProblem
from ..batches.row_caps import REASONS as REASONS_OF_CAPS
from ..crossed_ids import is_crossed
from ..models import Message, Report, StagedRow
from ..on_hold import ON_HOLD, is_on_hold
from ..queue_message import WAITED_TOO_LONG
from ..released import released_at
from ..states import MessageState
from .labels import MARKED_SENT, NO_REPORTS, REPORT_OVERDUE, gives_reports, shown_state

S = MessageState
LONG_WAIT: Final = timedelta(seconds=10)
FAULT_BEFORE_SENDING: Final = "portal_fault_before_sending"


def register() -> None:
    """Register the reasons that only messages have."""
    register_reason(
        WAITED_TOO_LONG,
        ReasonText(
            gettext_noop("Not sent after waiting %(waited)s."),
            gettext_noop("The content may be out of date."),
            gettext_noop("Send it now or cancel it."),
            MoneyLine.NOT_SENT,
        ),
    )
    register_reason(
        FAULT_BEFORE_SENDING,
        ReasonText(
            gettext_noop("The portal failed before anything was sent."),
            "",
            gettext_noop("Tell the administrator, then send it again."),
            MoneyLine.NOT_SENT,
        ),
    )


def is_doubtful(message: Message) -> bool:
    """Whether it is not known if the message was sent, so that no next act is the right one."""
    return message.state == S.UNKNOWN or is_on_hold(message)


def explanation_of(message: Message, reader: Reader = None) -> Explanation:
    """Explain the state of a message to staff; the next step is one that the reader can take."""
    shown = shown_state(message)
    if shown == ON_HOLD:
        return _explain_hold(message)
    match message.state:
        case S.QUEUED | S.CLAIMED:
            return _explain_waiting(message, reader)
        case S.SENDING:
            return Explanation(text=_("Being submitted to the provider."))
        case S.REFUSED if message.conflict:
            return replace(_explain_reason(message, reader), text=_explain_conflict(message))
        case S.REFUSED | S.NOT_SENT if not message.settled_at:
            return _explain_released(message, _explain_failure(message, reader))
        case S.HELD | S.REFUSED | S.UNKNOWN | S.NOT_SENT:
            return _explain_failure(message, reader)
        case S.CANCELLED:
            return _explain_cancelled(message)
        case S.SUBMITTED:
            return Explanation(text=_explain_accepted(message, shown), money=MoneyLine.ACCEPTED)
    return Explanation(text=_explain_report(message), money=MoneyLine.ACCEPTED)


def _explain_cancelled(message: Message) -> Explanation:
    """Which cap stopped a message of a batch, as long as the row of the file is kept."""
    if message.reason not in REASONS_OF_CAPS.values() or message.batch_row is None:
        return Explanation(money=MoneyLine.NOT_SENT)
    explained = explain(message.reason)
    rows = StagedRow.objects.filter(batch=message.batch_id, number=message.batch_row)
    row = rows.filter(problem=RowProblem.CAP).first()
    return replace(explained, text=stored_limit_text(row.values or {})) if row else explained


def _explain_hold(message: Message) -> Explanation:
    hold = message.hold or (message.batch.hold if message.batch else None)
    began = short_time(hold.started_at) if hold else ""
    return Explanation(
        _("It is not known whether this was sent."),
        _(
            "It was waiting when a hold began at %(time)s and may have been sent"
            " earlier. It will be sent only after a manager releases it."
        )
        % {"time": began},
        _("Ask a manager to decide."),
        MoneyLine.UNKNOWN,
    )


def _explain_released(message: Message, explained: Explanation) -> Explanation:
    """What is not sent now may have been sent before the hold it was released from."""
    began = released_at(message)
    if began is None:
        return explained
    before = _("It may have been sent before the hold that began at %(time)s.") % {
        "time": short_time(began)
    }
    text = join_sentences(explained.text, before)
    return replace(explained, text=text, money=MoneyLine.UNKNOWN)


def _explain_report(message: Message) -> str:
    """Explain a conflict or a report after a person's decision, else how long the report took."""
    if message.conflict:
        return _explain_conflict(message)
    reported_at = message.reported_at
    if message.hold_id is not None and message.handed_over_at is None:
        return _("It was on hold. A report shows that it had been sent before.")
    if message.state == S.IN_TRANSIT or reported_at is None:
        return ""
    if message.settled_at and reported_at > message.settled_at:
        word = label_for("message", message.state).word
        return _(
            "A delivery report arrived after the outcome was set by hand. It says"
            " “%(word)s” and takes precedence."
        ) % {"word": word}
    if message.handed_over_at:
        took = duration(reported_at - message.handed_over_at)
        return _("Reported %(took)s after sending.") % {"took": took}
    return ""


def _explain_conflict(message: Message) -> str:
    """List the final reports in the order in which they arrived."""
    states = message.reports.filter(kind=Report.Kind.DELIVERY).order_by("at", "pk")
    reported = dict.fromkeys(states.values_list("state", flat=True))
    words = [
        pgettext("list", "“%s”") % label_for("message", state).word
        for state in reported
        if state in FINAL
    ]
    if len(words) < 2 and is_crossed(message):
        return _("The provider's IDs do not fit together; see below.")
    if len(words) < 2:
        return _("A report contradicts the known state; see below.")
    return _(
        "Reported %(first)s first, then %(later)s. %(standing)s applies; all reports"
        " are listed below."
    ) % {
        "first": words[0],
        "later": listed(words[1:]),
        "standing": pgettext("list", "“%s”") % label_for("message", message.state).word,
    }


def _explain_waiting(message: Message, reader: Reader) -> Explanation:
    waited = clock.now() - message.queued_at
    if message.account.is_paused:
        return explain_pause(message.account.name)
    if message.reason and message.answered_at:
        return _explain_reason(message, reader)
    if message.batch_id is not None:
        return Explanation(text=_("Queued in its batch."))
    if waited < LONG_WAIT:
        return Explanation()
    return Explanation(
        text=_("Queued for %(seconds)s; usually under 1 s.") % {"seconds": duration(waited)}
    )


def _explain_failure(message: Message, reader: Reader) -> Explanation:
    if message.state == S.UNKNOWN:
        return _explain_unknown(message, reader)
    if message.state == S.NOT_SENT:
        return _explain_not_sent(message, reader)
    return _explain_reason(message, reader)


def _explain_reason(message: Message, reader: Reader) -> Explanation:
    pause = pause_fact(message.account, message.reason, message.answered_at or message.ended_at)
    explanation = explain(
        _reason(message),
        words=message.words,
        pause=pause,
        may_fix=may_fix_accounts(reader),
        **_reason_values(message, pause),
    )
    if pause and pause.is_over and message.state in (S.REFUSED, S.NOT_SENT):
        return replace(explanation, next_step=_("Send it again if it is still needed."))
    return explanation


def _explain_unknown(message: Message, reader: Reader) -> Explanation:
    """With an unknown outcome money may be gone, whatever the reason, and only the recipient or
    the provider's console can tell."""
    step = _("Ask the recipient whether it arrived. A manager can then set the outcome.")
    if reader is None or reader.has_perm("messaging.resolve_message"):  # type: ignore[union-attr]
        # The page asks for it above the buttons.
        step = ""
    explained = _explain_reason(message, reader)
    return replace(explained, next_step=step, money=MoneyLine.UNKNOWN)


def _reason(message: Message) -> str:
    if message.reason == Reason.PORTAL_FAULT and message.state != S.UNKNOWN:
        return FAULT_BEFORE_SENDING
    return message.reason


def _explain_not_sent(message: Message, reader: Reader) -> Explanation:
    if message.settled_at:
        return Explanation(money=MoneyLine.NOT_SENT)
    explanation = _explain_reason(message, reader)
    return explanation if explanation.money else replace(explanation, money=MoneyLine.NOT_SENT)


def _reason_values(message: Message, pause: PauseFact | None) -> dict[str, Any]:
    """Return the values for placeholders in reason texts; one without a value is left out."""
    values: dict[str, Any] = {
        "waited": duration((message.ended_at or clock.now()) - message.queued_at)
    }
    retry_at = message.not_before if message.state == S.QUEUED else None
    queued = message.account.messages.filter(state=S.QUEUED)
    if pause is None or not pause.is_over:
        values |= retry_values(message.reason, message.tries, retry_at, queued.count)
    if message.reason == Reason.TIMED_OUT and message.answered_at and message.handed_over_at:
        values["n"] = round((message.answered_at - message.handed_over_at).total_seconds())
    return values


def title_of(message: Message) -> str:
    """Return the reason in one line, for lists."""
    waited = duration((message.ended_at or clock.now()) - message.queued_at)
    return explain(_reason(message), waited=waited).title


def _explain_accepted(message: Message, shown: str) -> str:
    if message.hold_id is not None and message.reported_at and message.handed_over_at is None:
        return _("It was on hold. A report shows that it had been sent before.")
    if shown == MARKED_SENT:
        return _("Confirmed as sent by a staff member.")
    if shown == NO_REPORTS:
        return _(
            "Accepted. %(provider)s does not provide delivery reports, so delivery"
            " cannot be confirmed. Ask the recipient."
        ) % {"provider": message.account.provider_name}
    if shown == REPORT_OVERDUE:
        return _("No report after %(hours)s hours. It may or may not have been delivered.") % {
            "hours": settings.REPORT_HOURS
        }
    return _("Accepted. Waiting for the delivery report.")


def known_facts(message: Message) -> list[str]:
    """List short facts that help staff settle an unknown outcome; hints, never a verdict."""
    sent = message.handed_over_at
    if sent is None:
        return []
    facts = [_("sent %(time)s") % {"time": short_time(sent)}]
    if message.http_status:
        facts.append(_("answered with HTTP %(status)s") % {"status": message.http_status})
    else:
        facts.append(_("no answer"))
    if gives_reports(message.account):
        until = sent + timedelta(hours=settings.REPORT_HOURS)
        facts.append(_("no report yet (waiting until %(time)s)") % {"time": short_time(until)})
    balances = _balances_around(message)
    if balances:
        before, after = balances
        facts.append(
            _("balance before %(before)s, after %(after)s (indication only)")
            % {"before": amount(before.spendable), "after": amount(after.spendable)}
        )
    return facts


def _balances_around(message: Message) -> tuple[BalanceReading, BalanceReading] | None:
    """Return the balance readings just before and after the send, if there are both."""
    readings = BalanceReading.objects.filter(account=message.account_id)
    sent, ended = message.handed_over_at, message.answered_at or message.ended_at
    before = readings.filter(read_at__lte=sent).order_by("-read_at").first()
    after = readings.filter(read_at__gte=ended).order_by("read_at").first() if ended else None
    return (before, after) if before and after else None
