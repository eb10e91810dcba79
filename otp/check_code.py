"""Trying a code that was read out. A code of ours is decided here and at once; one that the
provider made is a question for the engine, since only its direct answer verifies."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Final

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from core.secrets import Secret
from messaging import queue_message
from messaging.models import Message
from messaging.settle_outcome import settle_by_correct_code
from messaging.states import MessageState
from providers.clock import database_now
from providers.engine.wake import kick_if_idle

from . import codes, sessions
from .models import MAX_TRIES, Attempt, SentCode, Session, moment
from .sessions import TRIES_USED, CheckUnderWay, NotOpen
from .states import OPEN, SESSION_STATES, UNDER_WAY, AttemptState, SessionState

REMEMBERED_FOR: Final = timedelta(hours=1)
"""So long an earlier code of a number is recognised as such."""
MOST_REMEMBERED: Final = 10


class NothingEntered(ValueError):
    """There is no code in what was typed."""


class NoAnswerYet(Exception):
    """The provider has given no id for this code, so there is nothing to ask it about."""


def check(session: Session, typed: str, *, by: User, form_token: str | None) -> Attempt:
    """Take one of the tries and decide, or put the question to the provider.

    The same form sent twice with the same code is one try. Raises `NotOpen` where the session
    has ended or has no try left, `CheckUnderWay`, `NoAnswerYet` or `NothingEntered`; none of
    them costs a try.
    """
    said = codes.as_read_out(typed)
    if not said:
        raise NothingEntered
    # With another code it is another try: the answer to the first one may have been lost on
    # its way back, and nobody is to be told "wrong" about what was never looked at.
    token = codes.digest(form_token, 0, said) if form_token else None
    try:
        with transaction.atomic():
            return _earlier_try(token) or _try(session, said, by, token)
    except NotOpen:
        sessions.expire(Session.objects.filter(pk=session.pk))
        raise
    except IntegrityError:
        earlier = _earlier_try(token)
        if earlier is None:
            raise CheckUnderWay from None
        return earlier


def _earlier_try(token: str | None) -> Attempt | None:
    return Attempt.objects.filter(form_token=token).first() if token else None


def _try(session: Session, said: str, by: User, token: str | None) -> Attempt:
    lock_unknown_sends(session.pk)
    if not _take_try(session):
        raise NotOpen
    session.refresh_from_db()
    code = session.newest_code()
    new = partial(
        Attempt,
        session=session,
        account=code.message.account,
        form_token=token,
        created_by=by,
        created_at=timezone.now(),
    )
    if not code.checked_by_provider:
        return _decide(new, session, code, said, by)
    if session.attempts.filter(state__in=sorted(UNDER_WAY)).exists():
        raise CheckUnderWay
    earlier = _earlier_code(code, said)
    if earlier is not None:
        # One of ours that the provider's replaced: it need not be asked.
        return _answer(new, AttemptState.EARLIER, earlier)
    return _ask_provider(new, code, said)


def lock_unknown_sends(session_id: int) -> None:
    """What a right code settles, before the session is touched: a report locks its message
    first and then the session, and in the other order the two would wait for each other."""
    unknown = Message.objects.filter(sent_code__session=session_id, state=MessageState.UNKNOWN)
    list(unknown.select_for_update(of=("self",)).values_list("pk", flat=True))


def _take_try(session: Session) -> bool:
    """Counted by a conditional UPDATE, before anything is compared: however many try at
    once, no more than five are answered, and none after the end."""
    alive = Session.objects.filter(
        pk=session.pk, state__in=sorted(OPEN), tries__lt=MAX_TRIES, expires_at__gt=Now()
    )
    return bool(alive.update(tries=F("tries") + 1))


def give_try_back(session_id: int) -> None:
    """Certainly nothing was asked."""
    Session.objects.filter(pk=session_id, tries__gt=0).update(tries=F("tries") - 1)


def _ask_provider(new: partial[Attempt], code: SentCode, said: str) -> Attempt:
    if not code.message.provider_id:
        raise NoAnswerYet
    attempt = new(sent_code=code, state=AttemptState.QUEUED, code=Secret(said))
    attempt.save(force_insert=True)
    kick_if_idle()
    return attempt


def _decide(
    new: partial[Attempt], session: Session, code: SentCode, said: str, by: User
) -> Attempt:
    if codes.matches(code.digest, session.public_id, code.serial, said):
        too_late = not verify(session, code, by)
        return _answer(new, AttemptState.RIGHT, code, too_late=too_late)
    earlier = _earlier_code(code, said)
    if earlier is not None:
        return _answer(new, AttemptState.EARLIER, earlier)
    return _answer(new, AttemptState.WRONG, code)


def _answer(
    new: partial[Attempt], state: AttemptState, code: SentCode, *, too_late: bool = False
) -> Attempt:
    """Write down what was decided here; `code` is the one that was read out."""
    attempt = new(state=state, sent_code=code, too_late=too_late)
    attempt.ended_at = attempt.created_at
    attempt.save(force_insert=True)
    if state != AttemptState.RIGHT:
        fail_if_used_up(attempt.session_id)
    return attempt


def _earlier_code(newest: SentCode, said: str) -> SentCode | None:
    """A code that was sent to this number before the one that is alive."""
    before = SentCode.objects.filter(
        session__recipient=newest.session.recipient,
        made_at__gt=timezone.now() - REMEMBERED_FOR,
    ).exclude(pk=newest.pk)
    for code in before.select_related("session").order_by("-pk")[:MOST_REMEMBERED]:
        if codes.matches(code.digest, code.session.public_id, code.serial, said):
            return code
    return None


def verify(session: Session, code: SentCode, by: User | None) -> bool:
    """End it as verified, if the code is the one that is alive and time is not over. Of two
    who do so at once one does. The code proves that its message went out."""
    if SentCode.objects.filter(session=session, serial__gt=code.serial).exists():
        return False
    now = moment(database_now())
    verified = SESSION_STATES.move(
        Session.objects.filter(pk=session.pk, expires_at__gt=Now()),
        SessionState.VERIFIED,
        verified_at=now,
        ended_at=now,
        ended_by=by,
    )
    if verified:
        _settle_message(session, code, by)
    return bool(verified)


def _settle_message(session: Session, code: SentCode, by: User | None) -> None:
    """The right code proves that an SMS of unknown outcome went out; one that still waits is
    not needed any more."""
    message = Message.objects.get(pk=code.message_id)
    if settle_by_correct_code(Message.objects.filter(pk=message.pk)):
        went_out = message.handed_over_at or message.created_at
        Session.objects.filter(pk=session.pk, sent_at=None).update(sent_at=went_out)
    elif by is not None:
        queue_message.cancel(message, by)


def fail_if_used_up(session_id: int) -> None:
    SESSION_STATES.move(
        Session.objects.filter(pk=session_id, tries__gte=MAX_TRIES),
        SessionState.FAILED,
        reason=TRIES_USED,
        ended_at=timezone.now(),
    )
