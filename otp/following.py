"""What becomes of a session when something becomes of its message."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Final

from django.db import transaction
from django.utils import timezone

from messaging.models import Message
from messaging.recipients import NotARecipient
from messaging.sending import WAITED_TOO_LONG
from messaging.settling import settle_by_right_code
from messaging.states import REPORTS, WAITING, MessageState
from providers.daily_limits import LimitReached
from providers.gateway.vocabulary import DeliveryState

from . import limits, sessions
from .models import SentCode, Session
from .states import OPEN, SESSION_STATES, SessionState

logger = logging.getLogger(__name__)

M = MessageState
S = SessionState
WENT_OUT: Final = frozenset({M.SUBMITTED} | REPORTS)
STOPPED: Final = frozenset({M.REFUSED, M.NOT_SENT, M.CANCELLED})


def follow(messages: Collection[int]) -> None:
    """Bring sessions to where their newest messages are. May be called any number of times."""
    found = SentCode.objects.filter(message__in=messages).select_related(
        "message", "session", "session__fallback", "session__account", "session__created_by"
    )
    for code in found:
        _follow_one(code)


def catch_up() -> None:
    """Sessions that were not told, because something of ours failed at that moment."""
    behind = SentCode.objects.filter(session__state=S.PENDING).exclude(
        message__state__in=sorted(WAITING)
    )
    follow(list(behind.values_list("message", flat=True)[:100]))


def _follow_one(code: SentCode) -> None:
    message, session = code.message, code.session
    _note_times(message, session)
    if session.codes.filter(serial__gt=code.serial).exists():
        # An earlier code: dead, whatever became of it.
        return
    rows = Session.objects.filter(pk=session.pk)
    if message.state in WENT_OUT:
        _went_out(session)
    elif message.state == M.UNKNOWN:
        SESSION_STATES.move(rows, S.SEND_UNKNOWN, sources=(S.PENDING,))
        if session.state == S.VERIFIED:
            settle_by_right_code(Message.objects.filter(pk=message.pk))
    elif message.state in STOPPED and session.state in OPEN:
        _stopped(code)


def _note_times(message: Message, session: Session) -> None:
    rows = Session.objects.filter(pk=session.pk)
    if message.state in WENT_OUT and session.sent_at is None:
        rows.filter(sent_at=None).update(sent_at=message.answered_at or timezone.now())
    if message.state == DeliveryState.DELIVERED and session.delivered_at is None:
        rows.filter(delivered_at=None).update(delivered_at=message.reported_at)


def _went_out(session: Session) -> None:
    """The customer's time begins when the provider took it, not when staff pressed the button."""
    rows = Session.objects.filter(pk=session.pk)
    sessions.expire(rows)
    started = SESSION_STATES.move(
        rows, S.SENT, sources=(S.PENDING,), expires_at=sessions.valid_until(session.minutes)
    )
    if not started:
        SESSION_STATES.move(rows, S.SENT, sources=(S.SEND_UNKNOWN,))


def _stopped(code: SentCode) -> None:
    """Nothing went out. Only where that was the provider's no, or the provider could not be
    reached, does the other account of the route take over by itself."""
    session, message = code.session, code.message
    by_provider = (
        session.state == S.PENDING
        and message.state in (M.REFUSED, M.NOT_SENT)
        and message.reason != WAITED_TOO_LONG
        and not message.settled_at
    )
    if by_provider and _taken_over(code):
        return
    limits.free_gap(session.recipient)
    SESSION_STATES.move(
        Session.objects.filter(pk=session.pk),
        S.FAILED,
        reason=(message.reason or message.state)[:32],
        ended_at=timezone.now(),
    )


def _taken_over(code: SentCode) -> bool:
    try:
        with transaction.atomic():
            return sessions.take_over(code.session, code)
    except (LimitReached, NotARecipient) as reason:
        logger.info("Session %s was not taken over: %s", code.session_id, type(reason).__name__)
        return False
