"""Factory of code sessions, and running their sends and checks through the engine."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from core.phones.parse import parse_number
from messaging.models import Message
from otp import check_code, sessions
from otp.models import Attempt, SendGap, Session
from otp.routes import TEXTS, default_route, with_dots
from providers.gateway.http.client import Deadlines
from providers.models import Account
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.staff import make_user
from tests.support.engine import IMPATIENT, run_engine

_serial = count(1)
CODE = "482913"
WRONG = "000000"
SENDS = {"haosms": "otp_msg", "haorui": "send", "otpservice": "send"}
"""The sandbox operation that sends a code, by provider."""
NUMBER = "+8613912345678"
TEXT = with_dots(TEXTS["en"])


def make_session(account: Account | None = None, **fields: Any) -> Session:
    """Make a session with a queued message; by default over HaoSMS, with CODE."""
    account = account or make_account("haosms")
    by = fields.pop("by", None) or make_user()
    form_token = fields.pop("form_token", f"session{next(_serial)}")
    recipient = parse_number(fields.pop("recipient", NUMBER))
    plan = sessions.Plan(
        route=default_route(account, recipient.country, TEXT),
        recipient=recipient,
        minutes=fields.pop("minutes", 10),
        fallback=fields.pop("fallback", None),
        length=fields.pop("length", 6),
        typed=fields.pop("typed", CODE),
        text=TEXT,
    )
    session, _ = sessions.start(plan, by=by, form_token=form_token)
    if fields:
        Session.objects.filter(pk=session.pk).update(**fields)
        session.refresh_from_db()
    return session


def make_sent_session(account: Account | None = None, **fields: Any) -> Session:
    """Make a session whose code the provider accepted."""
    session = make_session(account, **fields)
    now = timezone.now()
    Message.objects.filter(sent_code__session=session).update(
        state="submitted", code="", handed_over_at=now, answered_at=now, provider_id="100"
    )
    Session.objects.filter(pk=session.pk, state="pending").update(state="sent", sent_at=now)
    session.refresh_from_db()
    return session


def try_code(session: Session, typed: str, by: User | None = None, **fields: Any) -> Attempt:
    """Check a typed code."""
    fields = {"form_token": f"try{next(_serial)}", **fields}
    attempt = check_code.check(session, typed, by=by or make_user(), **fields)
    session.refresh_from_db()
    return attempt


def run_sends(session: Session, deadlines: Deadlines = IMPATIENT) -> Session:
    """Run the engine until all messages of the session are sent or ended."""
    waiting = Message.objects.filter(
        sent_code__session=session, state__in=("queued", "claimed", "sending")
    )
    run_engine(lambda: not waiting.exists(), deadlines=deadlines)
    session.refresh_from_db()
    return session


def run_checks(session: Session, deadlines: Deadlines = IMPATIENT) -> Attempt:
    """Run the engine until all checks of the session have ended; return the last one."""
    waiting = session.attempts.filter(state__in=("queued", "claimed", "sending"))
    run_engine(lambda: not waiting.exists(), deadlines=deadlines)
    session.refresh_from_db()
    last = session.attempts.last()
    assert last is not None
    return last


def code_of(sandbox: Sandbox, provider: str = "haosms") -> str:
    """Return the code in the newest SMS that the sandbox received."""
    fields = sandbox.book.entries(provider=provider, operation=SENDS[provider])[-1].fields
    if provider == "haosms":
        return str(fields["content"])
    if provider == "otpservice":
        return str(fields["generated_code"])
    return "".join(character for character in str(fields["textmessage"]) if character.isdigit())


def end_send_gap(recipient: str = NUMBER) -> None:
    """End the wait before the next code to this number."""
    past = timezone.now() - timedelta(minutes=5)
    SendGap.objects.filter(recipient=recipient).update(free_at=past)


def expire_session(session: Session) -> Session:
    """Move the end of the session into the past, by the database's clock."""
    past = timezone.now() - timedelta(minutes=1)
    Session.objects.filter(pk=session.pk).update(expires_at=past)
    session.refresh_from_db()
    return session
