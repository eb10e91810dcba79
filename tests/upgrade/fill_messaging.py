"""Messages, batches and code sessions in every state. They use the numbers of other tests."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

from django.contrib.auth.models import User
from django.utils import timezone

from messaging.batches.states import BatchState
from messaging.models import DoNotSend, Message, Report, Template
from messaging.states import MessageState
from otp.models import Attempt, Session
from otp.states import AttemptState, SessionState
from providers.models import (
    Account,
    Callback,
)
from tests.factories.batches import make_batch, numbers, start_batch
from tests.factories.codes import WRONG, make_sent_session, make_session, try_code
from tests.factories.messages import CODE, make_message
from tests.upgrade.copies import IN_FLIGHT, copy_of, in_state

_serial = count(101)
"""The first numbers are on the do-not-send list."""


def fill_messages(accounts: dict[str, Account], by: User) -> None:
    provider_of = {"text": "haorui", "own_code": "haosms", "provider_code": "otpservice"}
    for kind in Message.Kind:
        first = make_message(accounts[provider_of[kind]], kind=kind, by=by)
        for state in MessageState:
            waits = state in ("scheduled", "held", "queued", *IN_FLIGHT)
            copied = copy_of(first, recipient=f"+86139{next(_serial):08}", words="their words")
            if not waits:
                copied.code = ""
                copied.provider_id = str(next(_serial))
            if state == MessageState.UNKNOWN:
                copied.reason = "cut_off"
            in_state(copied, state)
    callback = Callback.objects.latest("pk")
    message = Message.objects.filter(state="delivered").latest("pk")
    for position, report in enumerate(Report.Kind):
        about = {"message": message, "callback": callback, "position": position}
        Report.objects.create(kind=report, state="delivered", at=timezone.now(), **about)
    settled = Message.objects.filter(state="submitted", kind="text").latest("pk")
    copy_of(
        settled, settled_at=timezone.now(), settled_by=by, settled_because="their console"
    ).save()
    copy_of(settled, sent_again_from=settled, conflict=True).save()


def fill_batches(account: Account, by: User) -> None:
    DoNotSend.objects.create(number="+8613900000002", because="asked to", added_by=by)
    removed = {"removed_by": by, "removed_at": timezone.now(), "removed_because": "asked again"}
    DoNotSend.objects.create(number="+8613900000003", because="by mistake", added_by=by, **removed)
    Template.objects.create(name="parcel", text="Your parcel {Number} is here.")
    Template.objects.create(name="old parcel", text="Your parcel.", in_use=False)
    rows = f"{numbers(4)}\n13900000001\n13900000002\nno number\n"
    file = ("Number,Name\n" + "".join(f"{row},N\n" for row in rows.split("\n"))).encode()
    for state in BatchState:
        source: str | bytes = file if state in ("ready", "reading", "paused") else rows
        batch = make_batch(source, account, by=by, read_it=state != BatchState.READING)
        if state in ("sending", "paused", "finished"):
            batch = start_batch(batch)
        batch.state = state
        if state == BatchState.SCHEDULED:
            batch.scheduled_for = timezone.now() + timedelta(days=30_000)
        if state == BatchState.UNREADABLE:
            batch.reason = "no_rows"
        batch.save()


def fill_sessions(accounts: dict[str, Account], by: User) -> None:
    for state in SessionState:
        make = make_session if state == SessionState.PENDING else make_sent_session
        number = f"+86138{next(_serial):08}"
        session = make(accounts["haosms"], recipient=number, by=by, state=state)
        ends = {"verified": "verified_at", "failed": "ended_at", "cancelled": "ended_at"}
        if state in ends:
            Session.objects.filter(pk=session.pk).update(**{ends[state]: timezone.now()})
    for attempt_state in AttemptState:
        number = f"+86138{next(_serial):08}"
        session = make_sent_session(accounts["otpservice"], recipient=number, by=by, typed="")
        code = session.newest_code()
        attempt = Attempt(session=session, sent_code=code, account=session.account, created_by=by)
        # Only an attempt that still waits for its call has the code.
        attempt.code = CODE if attempt_state in ("queued", *IN_FLIGHT) else ""
        in_state(attempt, attempt_state)
    typed = make_sent_session(accounts["haosms"], recipient="+8613800009001", by=by)
    try_code(typed, WRONG, by)
    try_code(typed, CODE, by)
