"""A number that is written into every table that may hold one."""

from __future__ import annotations

import zlib
from datetime import timedelta
from typing import Any, Final

from auditlog.models import LogEntry as Change
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from alerts.models import Delivery, Receiver
from core import notices
from core.acts import record_act
from core.models import ExportJob, ExportPart, OwnList
from core.phones.searches import allow_search
from core.phones.tokens import token_of
from core.stored_texts import from_staff
from lookup.models import Note, NumberName
from messaging import do_not_send
from messaging.models import DoNotSend, Message, Report
from otp.models import Attempt, Session
from privacy.models import LegalHold
from providers.models import (
    Account,
    ApiCall,
    Approval,
    Callback,
    CallbackTest,
    CapExemption,
    DailyLimit,
    DailyUse,
    Enquiry,
    Hold,
)
from rentals.models import Cancel, Finding, FoundOrder, HandOver, Order, Reading, Transaction
from tests.factories.accounts import make_account
from tests.factories.batches import make_batch
from tests.factories.codes import make_session
from tests.factories.messages import make_message
from tests.factories.orders import make_rented
from tests.factories.staff import make_staff

NUMBER: Final = "+8613987650321"
DIGITS: Final = "13987650321"
OTHER: Final = "+8613911112222"
GROUPED: Final = "+86 139 8765 0321"


def scatter(*, at_work: bool = False) -> User:
    """Write the number everywhere. Returns a manager.

    With `at_work`, a message to it waits to be sent.
    """
    manager = make_staff("manager")
    sender, renter = make_account(), make_account("gosms")
    _write_messages(sender, manager)
    _write_codes_and_orders(renter, manager)
    _write_traffic(sender)
    _write_lists(manager)
    _write_decisions(sender, manager)
    _write_words_about_orders(renter, manager)
    if at_work:
        do_not_send.remove(DoNotSend.objects.get(), "by consent", manager)
        make_message(sender, by=manager, recipient=NUMBER)
    return manager


def _write_messages(account: Account, by: User) -> None:
    state: dict[str, Any] = {"state": "delivered", "answered_at": timezone.now()}
    sent = make_message(
        account, by=by, recipient=NUMBER, text=f"Your code for {GROUPED}", words=DIGITS, **state
    )
    make_message(account, by=by, recipient=OTHER, text=f"Call {DIGITS} back", **state)
    Report.objects.create(message=sent, kind="delivery", words=f"to {DIGITS}", at=timezone.now())
    content = f"number,note\n{DIGITS},a\n13911112222,ask {DIGITS}\nx{DIGITS},bad\n"
    batch = make_batch(content.encode(), account, by=by, text="For {note}", name=f"B {DIGITS}")
    type(batch).objects.filter(pk=batch.pk).update(state="cancelled", ended_at=timezone.now())


def _write_codes_and_orders(account: Account, by: User) -> None:
    now = timezone.now()
    session = make_session(by=by, recipient=NUMBER, state="verified", ended_at=now)
    codes = Message.objects.filter(sent_code__session=session)
    codes.update(state="delivered", code="", answered_at=now)
    make_rented(
        account,
        by=by,
        phone=DIGITS,
        state="completed",
        next_poll_at=None,
        content=f"From {NUMBER}: hello",
        code="1234",
        sms_at=now,
        differing=[{"field": "phone", "at": "now", "value": NUMBER}],
    )
    FoundOrder.objects.create(
        account=account, provider_id="f1", project="p", region="CN", phone=NUMBER, stated="expired"
    )
    Transaction.objects.create(
        account=account, provider_id="t1", type="Hold", amount=1, description=f"order of {DIGITS}"
    )


def _write_traffic(account: Account) -> None:
    Callback.objects.create(
        account=account,
        digest="d1",
        method="POST",
        state="processed",
        query=f"to=%2B86{DIGITS}",
        body=b'{"phone": "86' + DIGITS.encode() + b'"}',
        outcomes=[{"words": NUMBER}],
        next_try_at=None,
    )
    ApiCall.objects.create(
        account=account,
        operation="send",
        started_at=timezone.now(),
        duration=0.1,
        outcome="done",
        url=f"https://provider.example/?to={DIGITS}",
        request_body=f'{{"phone": {DIGITS}}}',
        answer_body=f"sent to {GROUPED}",
    )
    DailyUse.objects.update_or_create(what="codes", scope="number", key=NUMBER)


def _write_decisions(account: Account, by: User) -> None:
    now = timezone.now()
    typed = f"asked by {DIGITS}"
    Approval.objects.create(
        kind="batch",
        subject="batch:0",
        title=typed,
        account=account,
        digest="d",
        count=1,
        asked_by=by,
        state="lapsed",
        why=typed,
        comment=typed,
    )
    CapExemption.objects.create(
        scope="number", key=NUMBER, because=typed, created_by=by, ends_at=now, ended_at=now
    )
    DailyLimit.objects.create(what="codes", scope="number", key=NUMBER, most=1)
    Account.objects.filter(pk=account.pk).update(pause_words=f"refused {DIGITS}")
    CallbackTest.objects.create(account=account, detail=f"from {DIGITS}")
    Hold.objects.create(cause="by_hand", reason=typed, ended_at=now)
    LegalHold.objects.create(
        number="",
        digest="d",
        masked="…",
        reason=typed,
        lifted_at=now,
        lifted_because=typed,
    )
    Receiver.objects.create(
        name=f"Phone {DIGITS}", service="webhook", url="https://x.example", language="en"
    )
    Delivery.objects.create(receiver_name=f"Phone {DIGITS}", occasion="raised")


def _write_words_about_orders(account: Account, by: User) -> None:
    words = f"order of {DIGITS}"
    order = Order.objects.get(phone=DIGITS)
    Cancel.objects.create(order=order, words=words, state="refused")
    HandOver.objects.create(order=order, by=by, to_name=DIGITS)
    Finding.objects.create(
        account=account, kind="k", about="a", ours=words, theirs=words, explained_because=words
    )
    Reading.objects.create(account=account, kind="orders", words=words, state="failed")
    Enquiry.objects.create(account=account, kind="balance", words=words, state="failed")
    session = Session.objects.get(recipient=NUMBER)
    code = session.codes.get()
    Attempt.objects.create(
        session=session, sent_code=code, account=account, state="wrong", words=words
    )


def _write_lists(by: User) -> None:
    NumberName.objects.create(number=NUMBER, name="Canary", named_by=by)
    NumberName.objects.create(number=OTHER, name=f"was {DIGITS}", named_by=by)
    Note.objects.create(kind="number", number=NUMBER, text="calls often", by=by)
    Note.objects.create(kind="number", number=OTHER, text=f"now {GROUPED}", by=by)
    do_not_send.add(NUMBER, f"asked by {DIGITS}", by)
    allow_search(NUMBER, by, where="test")
    notices.notify(by.pk, "thing:1", from_staff(f"About {DIGITS}"), "/")
    record_act("reveal", by=by, subject=f"number:{token_of(NUMBER)}"[:64], reason=f"for {DIGITS}")
    log = {"user": by, "content_type": ContentType.objects.get_for_model(Message)}
    LogEntry.objects.create(
        **log, object_repr=NUMBER, action_flag=CHANGE, change_message=f"asked {GROUPED}"
    )
    Change.objects.log_create(by, action=1, changes={"note": ["", DIGITS]})
    OwnList.objects.create(
        user=by, rows_of="messaging.message", filters=[{"query": f"q={DIGITS}", "name": NUMBER}]
    )
    _write_export(by)


def _write_export(by: User) -> None:
    now = timezone.now()
    job = ExportJob.objects.create(
        by=by,
        state="ready",
        rows_of="messaging.message",
        format="csv",
        query=f"q={DIGITS}",
        is_whole=True,
        asked_at=now,
        progressed_at=now,
        expires_at=now + timedelta(days=7),
        parts=1,
    )
    data = zlib.compress(f"a,b\n{GROUPED},x\n".encode())
    ExportPart.objects.create(job=job, number=0, sheet=0, rows=1, size=20, data=data)
