"""Rows for the plans: many ordinary ones, and one that each filter of a list finds."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

from django.utils import timezone

from messaging.models import Batch, Message
from otp.models import SentCode, Session
from providers.models import Account, ApiCall, BalanceReading, Callback
from rentals.models import Order, Transaction
from tests.factories.accounts import make_account
from tests.factories.staff import make_user

MANY: Final = 1500


def make_rows() -> Account:
    """Make them. Returns the account that has a single row of each kind."""
    usual, rare, renting = make_account(), make_account(name="rare"), make_account("gosms")
    by, now = make_user(), timezone.now()
    texts = [_message(usual, number) for number in range(MANY)]
    codes = [_message(usual, MANY + number, kind="own_code") for number in range(MANY)]
    odd = _message(rare, 2 * MANY, kind="provider_code", state="unknown", country="ID")
    odd.reason, odd.provider_id, odd.conflict = "timeout", "odd", True
    odd.created_by, odd.recipient = by, "+6281234567890"
    batch = Batch.objects.create(
        account=rare, form_token="odd", source="pasted", created_by=by, started_at=now
    )
    odd.batch, odd.batch_row = batch, 1
    Message.objects.bulk_create([*texts, *codes, odd])
    sessions = [_session(usual, number) for number in range(MANY)]
    odd_session = _session(rare, MANY, state="failed", country="ID", sms_state="unknown")
    odd_session.created_by, odd_session.recipient = by, "+6281234567890"
    Session.objects.bulk_create([*sessions, odd_session])
    SentCode.objects.bulk_create(
        SentCode(session=session, message=message)
        for session, message in zip([*sessions, odd_session], [*codes, odd], strict=True)
    )
    orders = [_order(usual, number) for number in range(MANY)]
    odd_order = _order(rare, MANY, state="unknown", project="odd", region="VN")
    odd_order.held_by, odd_order.phone, odd_order.provider_id = by, "+6281234567890", "odd"
    Order.objects.bulk_create([*orders, odd_order])
    bookings = [_booking(renting, number) for number in range(MANY)]
    odd_booking = _booking(rare, MANY, type="Odd")
    Transaction.objects.bulk_create([*bookings, odd_booking])
    calls = [_call(usual, number) for number in range(MANY)]
    odd_call = _call(rare, MANY, outcome="refused", http_status=429, operation="send_code")
    ApiCall.objects.bulk_create([*calls, odd_call])
    callbacks = [_callback(usual, number) for number in range(MANY)]
    odd_callback = _callback(rare, MANY, state="unmatched", says="rejected", problem="no_match")
    Callback.objects.bulk_create([*callbacks, odd_callback])
    BalanceReading.objects.bulk_create(
        BalanceReading(account=renting, read_at=now - timedelta(minutes=number), balance=1)
        for number in range(MANY)
    )
    return rare


def _message(account: Account, number: int, **fields: object) -> Message:
    values = {"kind": "text", "country": "CN", "state": "delivered", **fields}
    return Message(
        account=account,
        recipient=f"+86139{number:08}",
        text="Your parcel is here.",
        provider_id=f"id{number}",
        answered_at=timezone.now(),
        created_at=timezone.now() - timedelta(minutes=number),
        **values,
    )


def _session(account: Account, number: int, **fields: object) -> Session:
    values = {"country": "CN", "state": "verified", "sms_state": "delivered", **fields}
    return Session(
        account=account,
        recipient=f"+86139{number:08}",
        prefix="+861390000",
        expires_at=timezone.now(),
        created_at=timezone.now() - timedelta(minutes=number),
        **values,
    )


def _order(account: Account, number: int, **fields: object) -> Order:
    values = {"project": "whatsapp", "region": "ID", "state": "expired", **fields}
    return Order(
        account=account,
        provider_id=f"order{number}",
        phone=f"+62812{number:08}",
        created_at=timezone.now() - timedelta(minutes=number),
        changed_at=timezone.now() - timedelta(minutes=number),
        **values,
    )


def _booking(account: Account, number: int, **fields: object) -> Transaction:
    values = {"type": "Hold", **fields}
    return Transaction(
        account=account,
        provider_id=f"t{number}",
        order_provider_id=f"order{number}",
        amount=Decimal(1),
        # Over four months, or the planner rightly reads all of them for those of the last week.
        created_there=timezone.now() - timedelta(hours=2 * number),
        **values,
    )


def _call(account: Account, number: int, **fields: object) -> ApiCall:
    values = {"operation": "send_text", "outcome": "done", "http_status": 200, **fields}
    return ApiCall(
        account=account,
        subject=f"message:{number}",
        started_at=timezone.now() - timedelta(minutes=number),
        duration=0.1,
        method="POST",
        url="/send",
        **values,
    )


def _callback(account: Account, number: int, **fields: object) -> Callback:
    values = {"state": "applied", "says": "delivered", **fields}
    return Callback(
        account=account,
        digest=f"{number}",
        method="POST",
        subject=f"message:{number}",
        next_try_at=None,
        received_at=timezone.now() - timedelta(minutes=number),
        last_at=timezone.now() - timedelta(minutes=number),
        **values,
    )
