"""A code session from its first code to its end: start, send again, cancel, expire."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from core.phone import PhoneNumber, read
from messaging import queue_message
from messaging.recipients import recipient_for
from messaging.states import WAITING
from providers.clock import database_now
from providers.engine.wake import kick_if_idle
from providers.models import Account

from . import codes, limits
from .models import SentCode, Session, moment, prefix_of
from .routes import Route, route_for_resend, unavailable_reason
from .states import OPEN, SESSION_STATES, UNDER_WAY, SessionState

REPLACED: Final = "replaced"
"""A newer session for the same number took its place."""
TRIES_USED: Final = "tries_used"


class NotOpen(Exception):
    """The session has ended; nothing more can be sent or checked in it."""


class CheckUnderWay(Exception):
    """The provider is being asked about a code of this session just now."""


class NoTryLeft(Exception):
    """A further code could not be checked in this session."""


class StillSending(Exception):
    """The newest message is just being handed over, so it cannot be replaced yet."""


class AccountCannot(Exception):
    """The account cannot send a code now; the text says why."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What staff want; already checked against the account's client."""

    route: Route
    recipient: PhoneNumber
    minutes: int
    fallback: Account | None = None
    length: int = codes.SHORTEST
    typed: str = field(default="", repr=False)
    """A code that staff made up; empty for one of the portal's."""
    text: str = ""
    """For accounts that take over and send any text of ours."""


def start(plan: Plan, *, by: User, form_token: str) -> tuple[Session, bool]:
    """Write session, code and message down in one transaction, and wake the engine.

    The same form sent twice makes one session: the second call returns the first one's and
    False. Raises `TooEarly` and `LimitReached`.
    """
    try:
        with transaction.atomic():
            session = _new_session(plan, by, form_token)
            _replace_open_ones(session, by)
            limits.take(plan.route.account, session.recipient, by)
            send_code(session, plan.route, by, typed=plan.typed)
            kick_if_idle()
    except IntegrityError:
        earlier = Session.objects.filter(form_token=form_token, created_by=by.pk).first()
        if earlier is None:
            raise
        return earlier, False
    return session, True


def was_started(form_token: str, by: User) -> Session | None:
    """The session that this form has made already."""
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
    """So many minutes from now, by the database's clock."""
    return moment(database_now()) + timedelta(minutes=minutes)


def open_for(recipient: str) -> Session | None:
    """The session whose code is still alive for this number."""
    alive = Session.objects.filter(
        recipient=recipient, state__in=sorted(OPEN), expires_at__gt=Now()
    )
    return alive.order_by("-pk").first()


def _replace_open_ones(session: Session, by: User) -> None:
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
    """Write down a code and its message. Every earlier code of the session is dead by it."""
    newest = session.codes.order_by("-serial").values_list("serial", flat=True).first() or 0
    code = ""
    if not route.provider_makes_code:
        code = typed or codes.make(route.longest_code(session.length))
    draft = route.draft(read(session.recipient), code, f"session:{session.pk}")
    message = queue_message.build_message(draft, by, form_token)
    message.save(force_insert=True)
    serial = newest + 1
    return SentCode.objects.create(
        session=session,
        serial=serial,
        message=message,
        length=len(code),
        digest=codes.digest(session.public_id, serial, code) if code else "",
    )


def locked(session_id: int) -> Session:
    """The session as it is now, and nobody else's to move until the transaction ends. One whose
    time is over is ended by it."""
    # Without joins: PostgreSQL finds no row where the account that was joined is another one by
    # the time that the lock is had.
    session = Session.objects.select_for_update().get(pk=session_id)
    if expire(Session.objects.filter(pk=session_id)):
        session.refresh_from_db()
    return session


def send_again(
    session: Session, account: Account, *, by: User, form_token: str, channel: str = ""
) -> tuple[Session, bool]:
    """A new code over this or another account; the earlier one is dead from now on.

    Raises `NotOpen`, `NoTryLeft`, `CheckUnderWay`, `StillSending`, `AccountCannot`,
    `InvalidRecipient`, `TooEarly` or `LimitReached`; then nothing has changed.
    """
    with transaction.atomic():
        ours = locked(session.pk)
        if ours.codes.filter(message__form_token=form_token).exists():
            return ours, False
        _require_ready(ours)
        reason = unavailable_reason(account, ours.country)
        if reason:
            raise AccountCannot(f"{account.name}: {reason}")
        recipient_for(account, ours.recipient)
        limits.take(account, ours.recipient, by)
        replaced = ours.newest_code()
        route = route_for_resend(replaced.message, account, ours.text, channel)
        _send_newer(ours, route, by, form_token)
        if replaced.message.state in WAITING and not queue_message.cancel(replaced.message, by):
            raise StillSending
        kick_if_idle()
    return ours, True


def _require_ready(session: Session) -> None:
    if session.state not in OPEN:
        raise NotOpen
    if session.attempts.filter(state__in=sorted(UNDER_WAY)).exists():
        raise CheckUnderWay
    if session.tries_left <= 0:
        raise NoTryLeft


def _send_newer(session: Session, route: Route, by: User | None, form_token: str | None) -> None:
    send_code(session, route, by, form_token=form_token)
    fresh: dict[str, Any] = {
        "account": route.account,
        "expires_at": valid_until(session.minutes),
    }
    rows = Session.objects.filter(pk=session.pk)
    if session.state == SessionState.PENDING:
        rows.update(**fresh)
    else:
        SESSION_STATES.move(rows, SessionState.PENDING, **fresh)
    session.refresh_from_db()


def take_over(session: Session, failed: SentCode) -> bool:
    """The other account of the route sends, since the first certainly sent nothing. Once, of a
    session that is `locked`. Raises `LimitReached` or `InvalidRecipient`; then it fails."""
    account = session.fallback
    if account is None or unavailable_reason(account, session.country):
        return False
    recipient_for(account, session.recipient)
    limits.take_for_account(account)
    route = route_for_resend(failed.message, account, session.text)
    _send_newer(session, route, session.created_by, None)
    Session.objects.filter(pk=session.pk).update(fallback=None)
    return True


def cancel(session: Session, by: User) -> bool:
    """End it; the code is dead, and a message that still waits is not sent. False: it had
    ended already."""
    with transaction.atomic():
        return _end(session, SessionState.CANCELLED, by)


def _end(session: Session, state: SessionState, by: User, reason: str = "") -> bool:
    rows = Session.objects.filter(pk=session.pk, expires_at__gt=Now())
    ended = SESSION_STATES.move(
        rows, state, ended_at=timezone.now(), ended_by_id=by.pk, reason=reason
    )
    if not ended:
        expire(Session.objects.filter(pk=session.pk))
        return False
    if queue_message.cancel(session.newest_code().message, by):
        limits.free_gap(session.recipient)
    return True


def expire(rows: QuerySet[Session] | None = None) -> int:
    """End those whose time is over by the database's clock."""
    if rows is None:
        rows = Session.objects.all()
    return SESSION_STATES.move(
        rows.filter(expires_at__lte=Now()), SessionState.EXPIRED, ended_at=F("expires_at")
    )
