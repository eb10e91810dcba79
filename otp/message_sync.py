"""Move code sessions according to the state of their messages."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from messaging import queue_message
from messaging.models import Message
from messaging.recipients import InvalidRecipient
from messaging.settle_outcome import settle_by_correct_code
from messaging.states import REPORTS, WAITING, MessageState
from providers import clock
from providers.daily_limits import LimitReached
from providers.gateway.vocabulary import DeliveryState

from . import limits, sessions, sms_states
from .models import SentCode, Session
from .states import ENDED, OPEN, SESSION_STATES, SessionState

logger = logging.getLogger(__name__)

M = MessageState
S = SessionState
WENT_OUT: Final = frozenset({M.SUBMITTED} | REPORTS)
STOPPED: Final = frozenset({M.REFUSED, M.NOT_SENT, M.CANCELLED})
MAX_ANSWER_TIME: Final = queue_message.CODE_MAX_AGE + timedelta(minutes=1)
"""Longest time from making a code to the provider's answer, including the longest call."""
MAX_ROWS: Final = 100
"""Sessions that one sweep brings in step."""


def sync_sessions(messages: Collection[int]) -> None:
    """Bring the sessions of these messages in step with their newest messages. Idempotent.

    For each message, in a transaction that has locked the session:

    1. Note the newest message's state and the times of sending and delivery, and drop the code of
       an unknown outcome.
    2. Ignore the message if a newer code has replaced its code.
    3. If it was sent, the session becomes sent and its time starts.
    4. If its outcome is unknown, so is the session's. A verified session settles it as sent.
    5. If it was certainly not sent, the fallback account sends, or the session fails.
    6. If it is queued again but the session has ended, cancel it.
    """
    codes = SentCode.objects.filter(message__in=messages).order_by("session_id", "serial")
    for code_id, session_id in codes.values_list("pk", "session_id"):
        with transaction.atomic():
            # The lock makes a concurrent call see what the first one did. Otherwise both would
            # send over the fallback account.
            session = sessions.lock(session_id)
            sms_states.note(Session.objects.filter(pk=session_id))
            _sync_one(SentCode.objects.select_related("message").get(pk=code_id), session)


def catch_up() -> None:
    """Sync sessions that missed a change of their message because of a failure of the portal.

    This includes messages that are still queued although their session has ended.
    """
    found = [*_behind(), *_unneeded()]
    if found:
        sync_sessions(found)


def _behind() -> QuerySet[SentCode, int]:
    """The messages whose open session is not in step with them."""
    newer = SentCode.objects.filter(session=OuterRef("session"), serial__gt=OuterRef("serial"))
    in_step = Q(session__state=S.PENDING, message__state__in=sorted(WAITING))
    in_step |= Q(session__state=S.SEND_UNKNOWN, message__state=M.UNKNOWN)
    # Open sessions are few, and an index finds them. All codes ever sent are many.
    of_open = SentCode.objects.filter(session__state__in=(S.PENDING, S.SEND_UNKNOWN))
    behind = of_open.filter(~in_step & ~Exists(newer)).order_by()
    return behind.values_list("message", flat=True)[:MAX_ROWS]


def _unneeded() -> QuerySet[SentCode, int]:
    """The queued messages whose session has ended."""
    queued = Message.objects.filter(state=M.QUEUED).exclude(kind=Message.Kind.TEXT)
    ended = SentCode.objects.filter(message__in=queued, session__state__in=sorted(ENDED))
    return ended.order_by().values_list("message", flat=True)[:MAX_ROWS]


def _sync_one(code: SentCode, session: Session) -> None:
    message = code.message
    _note_times(message, session)
    if message.state == M.UNKNOWN:
        # An unknown message is never queued again, so the code is no longer needed.
        Message.objects.filter(pk=message.pk, state=M.UNKNOWN).update(code="")
    if session.codes.filter(serial__gt=code.serial).exists():
        # A newer code has replaced this one.
        return
    if message.state in WENT_OUT:
        _handle_sent(session)
    elif message.state == M.UNKNOWN:
        rows = Session.objects.filter(pk=session.pk)
        SESSION_STATES.move(rows, S.SEND_UNKNOWN, sources=(S.PENDING,))
        if session.state == S.VERIFIED:
            settle_by_correct_code(Message.objects.filter(pk=message.pk))
    elif message.state in STOPPED and session.state in OPEN:
        _handle_not_sent(code, session)
    elif message.state == M.QUEUED and session.state in ENDED:
        _cancel_requeued(message, session)


def _note_times(message: Message, session: Session) -> None:
    rows = Session.objects.filter(pk=session.pk)
    if message.state in WENT_OUT and session.sent_at is None:
        rows.filter(sent_at=None).update(sent_at=message.answered_at or clock.now())
    if message.state == DeliveryState.DELIVERED and session.delivered_at is None:
        rows.filter(delivered_at=None).update(delivered_at=message.reported_at)


def _handle_sent(session: Session) -> None:
    """The code's validity starts when the provider accepts the SMS, not when staff send it."""
    rows = Session.objects.filter(pk=session.pk)
    # If this call is late, the customer has already had the code for a while.
    ends = min(sessions.valid_until(session.minutes), session.expires_at + MAX_ANSWER_TIME)
    if not SESSION_STATES.move(rows, S.SENT, sources=(S.PENDING,), expires_at=ends):
        SESSION_STATES.move(rows, S.SENT, sources=(S.SEND_UNKNOWN,))


def _cancel_requeued(message: Message, session: Session) -> None:
    """Cancel a message that was queued again: its code is invalid, so sending it wastes money."""
    by = session.ended_by or session.created_by
    if by is not None:
        queue_message.cancel(message, by)


def _handle_not_sent(code: SentCode, session: Session) -> None:
    """Send over the fallback account, or fail the session.

    The fallback only takes over if the provider refused or could not be reached.
    """
    message = code.message
    by_provider = (
        session.state == S.PENDING
        and session.seconds_left > 0
        and message.state in (M.REFUSED, M.NOT_SENT)
        and message.reason != queue_message.WAITED_TOO_LONG
        and not message.settled_at
    )
    if by_provider and _send_over_fallback(code, session):
        return
    limits.clear_gap(session.recipient)
    SESSION_STATES.move(
        Session.objects.filter(pk=session.pk),
        S.FAILED,
        reason=(message.reason or message.state)[:32],
        ended_at=clock.now(),
    )


def _send_over_fallback(code: SentCode, session: Session) -> bool:
    try:
        with transaction.atomic():
            return sessions.send_over_fallback(session, code)
    except (LimitReached, InvalidRecipient) as reason:
        logger.info("Session %s was not taken over: %s", session.pk, type(reason).__name__)
        return False
