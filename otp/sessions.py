"""Start, resend, cancel and expire code sessions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from core.acts import record_act
from core.phones.parse import PhoneNumber, parse_number
from core.punctuation import label_text
from messaging import held_messages, queue_message
from messaging.models import Message
from messaging.recipients import recipient_for
from messaging.states import WAITING
from providers import clock
from providers.clock import database_now
from providers.engine.wake import wake_engine
from providers.models import Account

from . import codes, limits, sms_states
from .models import SentCode, Session, moment, prefix_of
from .routes import Route, route_for_resend, unavailable_reason
from .states import OPEN, SESSION_STATES, UNDER_WAY, SessionState

REPLACED: Final = "replaced"
"""A newer session for the same number replaced this one."""
TRIES_USED: Final = "tries_used"
CLOCK_TOLERANCE: Final = timedelta(minutes=1)


class NotOpen(Exception):
    """The session has ended, so nothing more can be sent or checked in it."""


class CheckUnderWay(Exception):
    """The provider is checking a code of this session right now."""


class NoTryLeft(Exception):
    """The session has no try left, so a further code could not be checked."""


class StillSending(Exception):
    """The newest message is in flight, so it cannot be replaced yet."""


class AccountCannot(Exception):
    """The account cannot send a code now. The exception's text says why."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A request for a session that is already validated against the account's client."""

    route: Route
    recipient: PhoneNumber
    minutes: int
    fallback: Account | None = None
    length: int = codes.SHORTEST
    typed: str = field(default="", repr=False)
    """A code that staff typed; empty if the portal makes it."""
    text: str = ""
    """The text for a fallback account that sends free text."""


def start(plan: Plan, *, by: User, form_token: str) -> tuple[Session, bool]:
    """Save the session, its code and its message in one transaction and wake the engine.

    This cancels any open session for the same number. Submitting the same form twice starts one
    session: the second call returns the first one's and False. Raises `TooEarly` or
    `LimitReached`.
    """
    try:
        with transaction.atomic():
            session = _new_session(plan, by, form_token)
            _replace_open_sessions(session, by)
            limits.take(plan.route.account, session.recipient, session.country, by)
            send_code(session, plan.route, by, typed=plan.typed)
            record_act("code.send", by=by, subject=f"session:{session.pk}")
            wake_engine()
    except IntegrityError:
        earlier = Session.objects.filter(form_token=form_token, created_by=by.pk).first()
        if earlier is None:
            raise
        return earlier, False
    return session, True


def session_of_form(form_token: str, by: User) -> Session | None:
    """The session that this form has already started."""
    return Session.objects.filter(form_token=form_token, created_by=by.pk).first()


def _new_session(plan: Plan, by: User, form_token: str) -> Session:
    return Session.objects.create(
        form_token=form_token,
        account=plan.route.account,
        fallback=plan.fallback,
        recipient=plan.recipient.e164,
        prefix=prefix_of(plan.recipient.e164),
        country=plan.recipient.country,
        minutes=plan.minutes,
        length=plan.length,
        text=plan.text,
        created_by=by,
        expires_at=valid_until(plan.minutes),
    )


def valid_until(minutes: int) -> datetime:
    """The time in `minutes` minutes, by the database's clock."""
    return moment(database_now()) + timedelta(minutes=minutes)


def open_session_for(recipient: str) -> Session | None:
    """The open session of this number that has not expired."""
    open_sessions = Session.objects.filter(
        recipient=recipient, state__in=sorted(OPEN), expires_at__gt=Now()
    )
    return open_sessions.order_by("-pk").first()


def _replace_open_sessions(session: Session, by: User) -> None:
    others = Session.objects.filter(recipient=session.recipient).exclude(pk=session.pk)
    for other in others.filter(state__in=sorted(OPEN)):
        _end(other, SessionState.CANCELLED, by, reason=REPLACED)


def send_code(
    session: Session,
    route: Route,
    by: User | None,
    *,
    typed: str = "",
    form_token: str | None = None,
) -> SentCode:
    """Save a new code and its message. This invalidates all earlier codes of the session."""
    newest = session.codes.order_by("-serial").values_list("serial", flat=True).first() or 0
    code = ""
    if not route.provider_makes_code:
        code = typed or codes.make(route.code_length(session.length))
    draft = route.draft(parse_number(session.recipient), code, f"session:{session.pk}")
    message = queue_message.build_message(draft, by, form_token)
    # Whoever sends a further code did not type the number.
    message.typed_by_id, message.typed_at = session.created_by_id, session.created_at
    message.save(force_insert=True)
    serial = newest + 1
    return SentCode.objects.create(
        session=session,
        serial=serial,
        message=message,
        length=len(code),
        is_digits=code.isdecimal() if code else None,
        digest=codes.digest(session.public_id, serial, code) if code else "",
    )


def lock(session_id: int) -> Session:
    """Reload the session and lock it until the transaction ends. This expires it if it is due."""
    # No joins: if the account changes while PostgreSQL waits for the lock, a joined query finds
    # no row.
    session = Session.objects.select_for_update().get(pk=session_id)
    if expire(Session.objects.filter(pk=session_id)):
        session.refresh_from_db()
    return session


def resend(
    session: Session, account: Account, *, by: User, form_token: str, channel: str = ""
) -> tuple[Session, bool]:
    """Send a new code over this or another account and invalidate the earlier one.

    Submitting the same form twice sends once: the second call returns False. Raises `NotOpen`,
    `NoTryLeft`, `CheckUnderWay`, `StillSending`, `AccountCannot`, `InvalidRecipient`, `TooEarly` or
    `LimitReached`, and then changes nothing.
    """
    with transaction.atomic():
        current = lock(session.pk)
        if current.codes.filter(message__form_token=form_token).exists():
            return current, False
        _require_resendable(current)
        reason = unavailable_reason(account, current.country)
        if reason:
            raise AccountCannot(label_text(account.name, reason))
        recipient_for(account, current.recipient)
        limits.take(account, current.recipient, current.country, by)
        replaced = current.newest_code()
        route = route_for_resend(replaced.message, account, current.text, channel)
        _send_new_code(current, route, by, form_token)
        if replaced.message.state in WAITING and not _stop(replaced.message, by):
            raise StillSending
        wake_engine()
    return current, True


def _stop(message: Message, by: User) -> bool:
    """Cancel a message that waits. One on hold may have been sent already, so it ends as unknown.

    False if it is too late.
    """
    on_hold = Message.objects.filter(pk=message.pk)
    return queue_message.cancel(message, by) or bool(held_messages.give_up(on_hold, by))


def _require_resendable(session: Session) -> None:
    if session.state not in OPEN or not session.seconds_left:
        raise NotOpen
    if session.attempts.filter(state__in=sorted(UNDER_WAY)).exists():
        raise CheckUnderWay
    if session.tries_left <= 0:
        raise NoTryLeft


def _send_new_code(session: Session, route: Route, by: User | None, form_token: str | None) -> None:
    send_code(session, route, by, form_token=form_token)
    changes: dict[str, Any] = {
        "account": route.account,
        "expires_at": valid_until(session.minutes),
        "sms_state": sms_states.UNDER_WAY,
    }
    rows = Session.objects.filter(pk=session.pk)
    if session.state == SessionState.PENDING:
        rows.update(**changes)
    else:
        SESSION_STATES.move(rows, SessionState.PENDING, **changes)
    session.refresh_from_db()


def send_over_fallback(session: Session, failed: SentCode) -> bool:
    """Send over the fallback account, because the first account certainly sent nothing.

    This works once per session. The caller has locked the session. Returns False if there is no
    usable fallback. Raises `LimitReached` or `InvalidRecipient`.
    """
    account = session.fallback
    if account is None or unavailable_reason(account, session.country):
        return False
    recipient_for(account, session.recipient)
    limits.take_caps(account, session.recipient, session.country, session.created_by)
    route = route_for_resend(failed.message, account, session.text)
    _send_new_code(session, route, session.created_by, None)
    Session.objects.filter(pk=session.pk).update(fallback=None)
    return True


def cancel(session: Session, by: User) -> bool:
    """Cancel the session, its code and a message that is still waiting.

    Returns False if the session had already ended.
    """
    with transaction.atomic():
        return _end(session, SessionState.CANCELLED, by)


def _end(session: Session, state: SessionState, by: User, reason: str = "") -> bool:
    rows = Session.objects.filter(pk=session.pk, expires_at__gt=Now())
    ended = SESSION_STATES.move(rows, state, ended_at=clock.now(), ended_by_id=by.pk, reason=reason)
    if not ended:
        expire(Session.objects.filter(pk=session.pk))
        return False
    message = session.newest_code().message
    if queue_message.cancel(message, by):
        limits.clear_gap(session.recipient)
    else:
        held_messages.give_up(Message.objects.filter(pk=message.pk), by)
    return True


def expire(rows: QuerySet[Session] | None = None) -> int:
    """Expire the sessions that are due by the database's clock. Returns their number."""
    if not clock.is_settled():
        # An expired code is useless, and one whose time comes back is valid again.
        return 0
    if rows is None:
        rows = Session.objects.all()
    return SESSION_STATES.move(
        rows.filter(expires_at__lte=Now()), SessionState.EXPIRED, ended_at=F("expires_at")
    )


def expire_far_ahead(_now: datetime) -> int:
    """Expire sessions that end later than their whole validity from now: the clock was set back,
    and how old their code is cannot be known. Returns their number."""
    now = moment(database_now())
    if not clock.is_settled():
        return 0
    open_sessions = Session.objects.filter(state__in=sorted(OPEN), expires_at__gt=now).order_by()
    far = [
        pk
        for pk, minutes, ends in open_sessions.values_list("pk", "minutes", "expires_at")
        if ends > now + timedelta(minutes=minutes) + CLOCK_TOLERANCE
    ]
    rows = Session.objects.filter(pk__in=far)
    return SESSION_STATES.move(rows, SessionState.EXPIRED, ended_at=now) if far else 0
