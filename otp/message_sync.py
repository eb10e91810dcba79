"""What becomes of a session when something becomes of its message."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from messaging import queue_message
from messaging.models import Message
from messaging.recipients import InvalidRecipient
from messaging.settle_outcome import settle_by_correct_code
from messaging.states import REPORTS, WAITING, MessageState
from providers.daily_limits import LimitReached
from providers.gateway.vocabulary import DeliveryState

from . import limits, sessions
from .models import SentCode, Session
from .states import ENDS, OPEN, SESSION_STATES, SessionState

logger = logging.getLogger(__name__)

M = MessageState
S = SessionState
WENT_OUT: Final = frozenset({M.SUBMITTED} | REPORTS)
STOPPED: Final = frozenset({M.REFUSED, M.NOT_SENT, M.CANCELLED})
LONGEST_WAY: Final = queue_message.CODE_MAX_AGE + timedelta(minutes=1)
"""From making a code until its provider has answered, with the longest call."""


def follow(messages: Collection[int]) -> None:
    """Bring sessions to where their newest messages are. May be called any number of times."""
    codes = SentCode.objects.filter(message__in=messages).order_by("session_id", "serial")
    for code_id, session_id in codes.values_list("pk", "session_id"):
        with transaction.atomic():
            # Of two who follow at once the second one finds what the first has done: else both
            # would let the other account of the route send.
            session = sessions.locked(session_id)
            _follow_one(SentCode.objects.select_related("message").get(pk=code_id), session)


def catch_up() -> None:
    """Sessions that were not told, because something of ours failed at that moment; and
    messages that still wait although their session has ended."""
    newer = SentCode.objects.filter(session=OuterRef("session"), serial__gt=OuterRef("serial"))
    told = Q(session__state=S.PENDING, message__state__in=sorted(WAITING))
    told |= Q(session__state=S.SEND_UNKNOWN, message__state=M.UNKNOWN)
    behind = Q(session__state__in=(S.PENDING, S.SEND_UNKNOWN)) & ~told & ~Exists(newer)
    dead = Q(session__state__in=sorted(ENDS), message__state=M.QUEUED)
    codes = SentCode.objects.filter(behind | dead).order_by("pk")
    follow(list(codes.values_list("message", flat=True)[:100]))


def _follow_one(code: SentCode, session: Session) -> None:
    message = code.message
    _note_times(message, session)
    if message.state == M.UNKNOWN:
        # It is never queued again, so nobody needs the code any more.
        Message.objects.filter(pk=message.pk, state=M.UNKNOWN).update(code="")
    if session.codes.filter(serial__gt=code.serial).exists():
        # An earlier code: dead, whatever became of it.
        return
    if message.state in WENT_OUT:
        _went_out(session)
    elif message.state == M.UNKNOWN:
        rows = Session.objects.filter(pk=session.pk)
        SESSION_STATES.move(rows, S.SEND_UNKNOWN, sources=(S.PENDING,))
        if session.state == S.VERIFIED:
            settle_by_correct_code(Message.objects.filter(pk=message.pk))
    elif message.state in STOPPED and session.state in OPEN:
        _stopped(code, session)
    elif message.state == M.QUEUED and session.state in ENDS:
        _stop(message, session)


def _note_times(message: Message, session: Session) -> None:
    rows = Session.objects.filter(pk=session.pk)
    if message.state in WENT_OUT and session.sent_at is None:
        rows.filter(sent_at=None).update(sent_at=message.answered_at or timezone.now())
    if message.state == DeliveryState.DELIVERED and session.delivered_at is None:
        rows.filter(delivered_at=None).update(delivered_at=message.reported_at)


def _went_out(session: Session) -> None:
    """The customer's time begins when the provider took it, not when staff pressed the button."""
    rows = Session.objects.filter(pk=session.pk)
    # Where we are told of it late, the customer has had the code for a while.
    ends = min(sessions.valid_until(session.minutes), session.expires_at + LONGEST_WAY)
    if not SESSION_STATES.move(rows, S.SENT, sources=(S.PENDING,), expires_at=ends):
        SESSION_STATES.move(rows, S.SENT, sources=(S.SEND_UNKNOWN,))


def _stop(message: Message, session: Session) -> None:
    """It was put back to be tried again, but its code is dead: it would cost for nothing."""
    by = session.ended_by or session.created_by
    if by is not None:
        queue_message.cancel(message, by)


def _stopped(code: SentCode, session: Session) -> None:
    """Nothing went out. Only where that was the provider's no, or the provider could not be
    reached, does the other account of the route take over by itself."""
    message = code.message
    by_provider = (
        session.state == S.PENDING
        and message.state in (M.REFUSED, M.NOT_SENT)
        and message.reason != queue_message.WAITED_TOO_LONG
        and not message.settled_at
    )
    if by_provider and _taken_over(code, session):
        return
    limits.free_gap(session.recipient)
    SESSION_STATES.move(
        Session.objects.filter(pk=session.pk),
        S.FAILED,
        reason=(message.reason or message.state)[:32],
        ended_at=timezone.now(),
    )


def _taken_over(code: SentCode, session: Session) -> bool:
    try:
        with transaction.atomic():
            return sessions.take_over(session, code)
    except (LimitReached, InvalidRecipient) as reason:
        logger.info("Session %s was not taken over: %s", session.pk, type(reason).__name__)
        return False
