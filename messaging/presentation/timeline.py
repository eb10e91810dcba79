"""The timeline of a message, oldest entry first, built from its own row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from core.admin.timeline import TimelineEntry, sort_entries
from core.people import person_name
from core.stored_texts import show
from core.templatetags.portal import visible
from core.times import duration
from providers.hold.holdable import FROM_BEFORE
from providers.models import ApiCall, Hold
from providers.presentation.callback_texts import REPORT_WORDS, mask_words

from ..models import Message, Report
from ..states import REPORTS, MessageState
from .labels import gives_reports

S = MessageState
A_MOMENT: Final = timedelta(seconds=1)


def timeline(
    message: Message, *, with_calls: bool, with_callbacks: bool = False
) -> list[TimelineEntry]:
    """List the entries. The flags say whether the reader may open calls and callbacks."""
    calls = _calls_of(message) if with_calls else []
    return sort_entries(
        [
            *_queue_entries(message),
            *_send_entries(message, calls),
            *_decision_entries(message),
            *_report_entries(message, with_callbacks=with_callbacks),
            *_missing_report_entry(message),
        ]
    )


def _calls_of(message: Message) -> list[ApiCall]:
    return list(ApiCall.objects.filter(subject=f"message:{message.pk}").order_by("started_at"))


def _queue_entries(message: Message) -> Iterator[TimelineEntry]:
    yield TimelineEntry(
        _("Queued by %(name)s") % {"name": person_name(message.created_by)}, message.created_at
    )
    if message.queued_at - message.created_at > A_MOMENT:
        yield TimelineEntry(_("Released manually"), message.queued_at)
    if message.claimed_at:
        yield TimelineEntry(_("Processing started"), message.claimed_at)


def _send_entries(message: Message, calls: list[ApiCall]) -> Iterator[TimelineEntry]:
    if message.handed_over_at:
        yield TimelineEntry(_("Submitted to the provider"), message.handed_over_at)
    for call in calls[:-1] if message.answered_at else calls:
        text = _("Attempt: %(outcome)s") % {"outcome": call.get_outcome_display()}
        yield TimelineEntry(text, call.started_at, _call_url(call), _("API call"))
    if message.answered_at:
        last = calls[-1] if calls else None
        yield TimelineEntry(
            # A hold ended it after a call that certainly was not made.
            _("Not submitted") if message.reason == FROM_BEFORE else _answer_text(message),
            message.answered_at,
            _call_url(last) if last else "",
            _("API call") if last else "",
        )


def _call_url(call: ApiCall) -> str:
    return reverse("admin:providers_apicall_change", args=[call.pk])


def _answer_text(message: Message) -> str:
    took = (
        duration(message.answered_at - message.handed_over_at)
        if message.answered_at and message.handed_over_at
        else ""
    )
    match message.state:
        case S.REFUSED:
            return _("Refused by the provider after %(took)s") % {"took": took}
        case S.UNKNOWN:
            return _("No clear answer after %(took)s") % {"took": took}
        case S.NOT_SENT | S.SUBMITTED if message.settled_at:
            return _("No clear answer after %(took)s") % {"took": took}
        case state if state in (S.SUBMITTED, *REPORTS) and message.reason:
            # The call had no clear answer; a report or a person showed that it was sent.
            return _("No clear answer after %(took)s") % {"took": took}
        case S.HELD | S.CANCELLED:
            return _("Not submitted")
        case S.NOT_SENT:
            return _("Gave up: could not be submitted to the provider")
        case S.QUEUED | S.CLAIMED | S.SENDING:
            return _("Not submitted; will be retried")
    if not message.provider_id:
        return _("Accepted after %(took)s, no ID returned") % {"took": took}
    return _("Accepted after %(took)s, id %(id)s") % {"took": took, "id": message.provider_id}


def _decision_entries(message: Message) -> Iterator[TimelineEntry]:
    hold = _hold_of(message)
    if hold is not None:
        yield TimelineEntry(_("Put on hold"), hold.started_at)
    if message.settled_at:
        reason = show(message.settled_because)
        words = {
            S.NOT_SENT: _("Marked as not sent by %(name)s: %(reason)s"),
        }.get(MessageState(message.state), _("Marked as sent by %(name)s: %(reason)s"))
        yield TimelineEntry(
            words % {"name": person_name(message.settled_by), "reason": reason},
            message.settled_at,
        )
    if message.ended_at and message.state == S.CANCELLED:
        yield TimelineEntry(
            _("Cancelled by %(name)s") % {"name": person_name(message.ended_by)}, message.ended_at
        )
    elif message.ended_at and message.reason == FROM_BEFORE:
        text = _("Not sent again, by decision of %(name)s; whether it was sent before is not known")
        yield TimelineEntry(text % {"name": person_name(message.ended_by)}, message.ended_at)
    elif message.ended_at and not message.answered_at:
        yield TimelineEntry(_("The portal stopped trying"), message.ended_at)


def _hold_of(message: Message) -> Hold | None:
    """The hold that keeps the message or its batch, or from which it was released."""
    hold = message.hold or message.released_from
    if hold is None and message.batch is not None:
        hold = message.batch.hold or message.batch.released_from
    return hold


def _report_entries(message: Message, *, with_callbacks: bool) -> Iterator[TimelineEntry]:
    for report in message.reports.select_related("callback"):
        callback = report.callback if with_callbacks else None
        url = (
            reverse("admin:providers_callback_change", args=[callback.public_id])
            if callback
            else ""
        )
        yield TimelineEntry(
            _report_text(report), report.at, url, pgettext("link", "callback") if url else ""
        )


def _report_text(report: Report) -> str:
    word = str(REPORT_WORDS.get(report.state, ""))
    match report.kind:
        case Report.Kind.DELIVERY:
            return _("Report: %(word)s") % {"word": word}
        case Report.Kind.VERIFICATION:
            return _("Check result reported by the provider: %(word)s. For reference only.") % {
                "word": word
            }
    return _("Unrecognised report: “%(words)s”") % {"words": visible(mask_words(report.words))}


def _missing_report_entry(message: Message) -> Iterator[TimelineEntry]:
    if message.state == S.SUBMITTED:
        if gives_reports(message.account):
            yield TimelineEntry(_("No delivery report yet"))
        else:
            yield TimelineEntry(
                _("%(provider)s does not provide delivery reports")
                % {"provider": message.account.provider_name}
            )
