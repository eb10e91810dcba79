"""Timeline of a session, oldest entry first: its codes and their messages, the tries, the
provider's reports, and the end."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from core.admin.labels import label_for
from core.admin.timeline import TimelineEntry, sort_entries
from core.people import person_name
from messaging.models import Message, Report
from messaging.states import MessageState

from ..models import Attempt, SentCode, Session
from ..sessions import REPLACED, TRIES_USED
from ..states import AttemptState, SessionState

A = AttemptState
S = SessionState


def timeline(session: Session, *, with_messages: bool) -> list[TimelineEntry]:
    """`with_messages`: whether the reader may open the messages, so that entries link to them."""
    lines: list[TimelineEntry] = []
    for code in session.codes.select_related(
        "message__account", "message__created_by", "message__hold"
    ):
        lines += _code_entries(code, with_messages=with_messages)
    for attempt in session.attempts.select_related("created_by", "sent_code"):
        lines.append(TimelineEntry(_attempt_text(attempt), attempt.created_at))
    if session.provider_says_verified_at:
        lines.append(
            TimelineEntry(_("The provider reports success"), session.provider_says_verified_at)
        )
    lines += _end_entries(session)
    return sort_entries(lines)


def _code_entries(code: SentCode, *, with_messages: bool) -> Iterator[TimelineEntry]:
    message = code.message
    values = {"name": person_name(message.created_by), "account": message.account.name}
    text = (
        _("Code sent by %(name)s via %(account)s")
        if code.serial == 1
        else _("New code sent by %(name)s via %(account)s; the previous code no longer works")
    )
    url = (
        reverse("admin:messaging_message_change", args=[message.public_id]) if with_messages else ""
    )
    yield TimelineEntry(text % values, message.created_at, url, pgettext("link", "message"))
    if message.hold is not None:
        yield TimelineEntry(_("The SMS was put on hold"), message.hold.started_at)
    answer = _answer_text(message)
    ended = message.answered_at or message.ended_at
    if answer and ended:
        yield TimelineEntry(answer, ended)
    for report in message.reports.filter(kind=Report.Kind.DELIVERY):
        word = label_for("message", report.state).word
        yield TimelineEntry(_("Report: %(word)s") % {"word": word}, report.at)


def _answer_text(message: Message) -> str:
    match message.state:
        case MessageState.QUEUED | MessageState.CLAIMED | MessageState.SENDING:
            return _("Not submitted; will be retried") if message.tries else ""
        case MessageState.HELD:
            return ""
        case MessageState.REFUSED:
            return _("The SMS was refused")
        case MessageState.NOT_SENT:
            return _("The SMS was not sent")
        case MessageState.CANCELLED:
            return _("The SMS was cancelled before it was sent")
        case MessageState.UNKNOWN:
            return _("It is not known whether the SMS was sent")
    if message.settled_at and not message.reported_at:
        return _("No clear answer; later confirmed as sent")
    return _("The provider accepted the SMS")


def _attempt_text(attempt: Attempt) -> str:
    if attempt.too_late:
        late = _("Correct code, checked by %(name)s after the session had ended; not verified")
        return late % {"name": person_name(attempt.created_by)}
    words = {
        A.RIGHT: _("Correct code, checked by %(name)s"),
        A.WRONG: _("Wrong code, checked by %(name)s"),
        A.EARLIER: _("Previous code, checked by %(name)s"),
        A.UNKNOWN: _("Checked by %(name)s; no answer from the provider"),
        A.REFUSED: _("Checked by %(name)s; the provider refused to check"),
        A.NOT_DONE: _("Checked by %(name)s; the provider could not be reached, no try was used"),
    }.get(AttemptState(attempt.state), _("Checked by %(name)s; waiting for the provider"))
    return words % {"name": person_name(attempt.created_by)}


def _end_entries(session: Session) -> Iterator[TimelineEntry]:
    if session.ended_at is None:
        return
    by = {"name": person_name(session.ended_by)}
    words = {
        S.VERIFIED: pgettext("state", "Verified"),
        S.EXPIRED: pgettext("state", "Expired"),
        S.CANCELLED: _("Replaced by a new code sent by %(name)s")
        if session.reason == REPLACED
        else _("Cancelled by %(name)s"),
        S.FAILED: _("No tries left")
        if session.reason == TRIES_USED
        else pgettext("code session", "Failed"),
    }.get(SessionState(session.state), "")
    if words:
        yield TimelineEntry(words % by, session.ended_at)
