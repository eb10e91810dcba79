"""Check a code that a customer read out.

The portal checks its own codes immediately. A code that the provider made becomes a queued check
for the engine, because only the provider's direct answer can verify it.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Final

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from core.secrets import Secret
from messaging import queue_message
from messaging.models import Message
from messaging.settle_outcome import settle_by_correct_code
from messaging.states import MessageState
from providers import clock
from providers.clock import database_now
from providers.engine.wake import wake_engine

from . import codes, sessions
from .models import MAX_TRIES, Attempt, SentCode, Session, moment
from .sessions import TRIES_USED, CheckUnderWay, NotOpen
from .states import OPEN, SESSION_STATES, UNDER_WAY, AttemptState, SessionState

EARLIER_CODE_WINDOW: Final = timedelta(hours=1)
"""How long an earlier code of a number is still recognised as one."""
MAX_EARLIER_CODES: Final = 10


class NothingEntered(ValueError):
    """The input contains no letter and no digit."""


class NoAnswerYet(Exception):
    """The provider has returned no id for this code yet, so it cannot check it."""


def check(session: Session, typed: str, *, by: User, form_token: str | None) -> Attempt:
    """Use one try and decide, or queue the check for the provider.

    Submitting the same form twice with the same code uses one try. Raises `NotOpen` if the session
    has ended or has no try left, `CheckUnderWay` while the provider is still checking,
    `NoAnswerYet`, `NothingEntered`, or `codes.NotACode`. None of these costs a try.
    """
    if not codes.normalize(typed):
        raise NothingEntered
    entered = _read(session, typed)
    # The token includes the code, so the same form with another code is another try. Otherwise,
    # if the first response got lost, staff would read "wrong" about a code that was not checked.
    token = codes.digest(form_token, 0, entered) if form_token else None
    try:
        with transaction.atomic():
            return _attempt_of_form(token) or _use_try_and_decide(session, entered, by, token)
    except NotOpen:
        sessions.expire(Session.objects.filter(pk=session.pk))
        raise
    except IntegrityError:
        earlier = _attempt_of_form(token)
        if earlier is None:
            raise CheckUnderWay from None
        return earlier


def _read(session: Session, typed: str) -> str:
    """The entered code. Earlier codes are recognised, too, and may have another length."""
    newest = session.newest_code()
    earlier = _earlier_codes(newest).exclude(length=0).order_by()
    lengths = set(earlier.values_list("length", flat=True).distinct())
    if newest.checked_by_provider:
        return codes.read_code(typed, lengths | {*codes.PROVIDER_LENGTHS}, may_be_words=False)
    return codes.read_code(typed, lengths | {newest.length})


def _attempt_of_form(token: str | None) -> Attempt | None:
    return Attempt.objects.filter(form_token=token).first() if token else None


def _use_try_and_decide(session: Session, entered: str, by: User, token: str | None) -> Attempt:
    lock_unknown_sends(session.pk)
    if not _use_try(session):
        raise NotOpen
    session.refresh_from_db()
    code = session.newest_code()
    new = partial(
        Attempt,
        session=session,
        account=code.message.account,
        form_token=token,
        created_by=by,
        created_at=clock.now(),
    )
    if not code.checked_by_provider:
        return _decide(new, session, code, entered, by)
    if session.attempts.filter(state__in=sorted(UNDER_WAY)).exists():
        raise CheckUnderWay
    earlier = _earlier_code(code, entered)
    if earlier is not None:
        # A code of the portal that the provider's code replaced: no need to ask the provider.
        return _save_decided(new, AttemptState.EARLIER, earlier)
    return _ask_provider(new, code, entered)


def lock_unknown_sends(session_id: int) -> None:
    """Lock the messages that a correct code would settle, before anything locks the session.

    Those are messages of unknown outcome and messages on hold.

    A delivery report locks its message first and then the session. The opposite order would
    deadlock.
    """
    unsure = (MessageState.UNKNOWN, MessageState.HELD)
    unknown = Message.objects.filter(sent_code__session=session_id, state__in=unsure)
    list(unknown.select_for_update(of=("self",)).values_list("pk", flat=True))


def _use_try(session: Session) -> bool:
    """Count a try with a conditional UPDATE before anything is compared.

    This limits concurrent checks to `MAX_TRIES` answers and allows none after the end.
    """
    usable = Session.objects.filter(
        pk=session.pk, state__in=sorted(OPEN), tries__lt=MAX_TRIES, expires_at__gt=Now()
    )
    return bool(usable.update(tries=F("tries") + 1))


def return_try(session_id: int) -> None:
    """Return a try. Only for checks that the provider certainly never made."""
    Session.objects.filter(pk=session_id, tries__gt=0).update(tries=F("tries") - 1)


def _ask_provider(new: partial[Attempt], code: SentCode, entered: str) -> Attempt:
    if not code.message.provider_id:
        raise NoAnswerYet
    attempt = new(sent_code=code, state=AttemptState.QUEUED, code=Secret(entered))
    attempt.save(force_insert=True)
    wake_engine()
    return attempt


def _decide(
    new: partial[Attempt], session: Session, code: SentCode, entered: str, by: User
) -> Attempt:
    if codes.matches(code.digest, session.public_id, code.serial, entered):
        too_late = not verify(session, code, by)
        return _save_decided(new, AttemptState.RIGHT, code, too_late=too_late)
    earlier = _earlier_code(code, entered)
    if earlier is not None:
        return _save_decided(new, AttemptState.EARLIER, earlier)
    return _save_decided(new, AttemptState.WRONG, code)


def _save_decided(
    new: partial[Attempt], state: AttemptState, code: SentCode, *, too_late: bool = False
) -> Attempt:
    """Save an attempt that was decided here. `code` is the one that was read out."""
    attempt = new(state=state, sent_code=code, too_late=too_late)
    attempt.ended_at = attempt.created_at
    attempt.save(force_insert=True)
    if state != AttemptState.RIGHT:
        fail_if_no_try_left(attempt.session_id)
    return attempt


def _earlier_code(newest: SentCode, entered: str) -> SentCode | None:
    """The entered code, if it is an earlier one that was sent to the same number."""
    before = _earlier_codes(newest).select_related("session").order_by("-pk")
    for code in before[:MAX_EARLIER_CODES]:
        if codes.matches(code.digest, code.session.public_id, code.serial, entered):
            return code
    return None


def _earlier_codes(newest: SentCode) -> QuerySet[SentCode]:
    return SentCode.objects.filter(
        session__recipient=newest.session.recipient,
        made_at__gt=clock.now() - EARLIER_CODE_WINDOW,
    ).exclude(pk=newest.pk)


def verify(session: Session, code: SentCode, by: User | None) -> bool:
    """End the session as verified if `code` is the current one and has not expired.

    Returns whether this call verified it; of two concurrent calls, one does. The correct code also
    proves that its message was sent.
    """
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
    """Mark a message of unknown outcome or on hold as sent, or cancel one that is still waiting.

    Without a person in `by`, a waiting message is left alone.
    """
    message = Message.objects.get(pk=code.message_id)
    if settle_by_correct_code(Message.objects.filter(pk=message.pk)):
        went_out = message.handed_over_at or message.created_at
        Session.objects.filter(pk=session.pk, sent_at=None).update(sent_at=went_out)
    elif by is not None:
        queue_message.cancel(message, by)


def fail_if_no_try_left(session_id: int) -> None:
    SESSION_STATES.move(
        Session.objects.filter(pk=session_id, tries__gte=MAX_TRIES),
        SessionState.FAILED,
        reason=TRIES_USED,
        ended_at=clock.now(),
    )
