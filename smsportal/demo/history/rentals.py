"""Rented numbers in all their end states, the provider's transactions, and one disagreement."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from core.secrets import Secret
from providers.gateway.vocabulary import Reason
from providers.models import BalanceReading
from rentals import ledger
from rentals.models import Cancel, Order, Reading, Transaction
from rentals.states import CancelState, OrderState

from .ground import CODE_HOURS, Ground

S = OrderState

PER_DAY: Final = 8.5
PROJECTS: Final = {"whatsapp": 55, "telegram": 30, "facebook": 15}
BRANDS: Final = {"whatsapp": "WhatsApp", "telegram": "Telegram", "facebook": "Facebook"}
REGIONS: Final = {"ID": 60, "US": 22, "GB": 18}
DIALLING: Final = {"ID": "+6284000", "US": "+120255501", "GB": "+447700900"}
"""How the rented numbers begin. The British ones are reserved for fiction, too."""
DIGITS: Final = {"ID": 5, "US": 2, "GB": 3}
PRICES: Final = {"ID": "0.50", "US": "1.20", "GB": "0.90"}
ENDS: Final = {
    S.COMPLETED.value: 66,
    S.CANCELLED.value: 13,
    S.EXPIRED.value: 12,
    S.REFUSED.value: 7,
    S.NOT_CREATED.value: 2,
}
RARE_ENDS: Final = ((17.2, S.EXPIRED_UNCONFIRMED), (9.1, S.STALE), (4.4, S.RECEIVED))
LIFETIME: Final = timedelta(minutes=10)
NO_REFUND_DAYS_AGO: Final = 4.0
"""The order that expired next after this has no refund."""
FIRST_ORDER: Final = 2_001
FIRST_TRANSACTION: Final = 201
LAST_BALANCE: Final = Decimal("1000.50")
"""The balance with which the sandbox's GoSMS begins."""
CREDIT: Final = Decimal(5000)
DEPOSITS: Final = ((28.0, 100), (18.0, 50), (8.0, 50))
READ_EVERY: Final = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Booking:
    at: datetime
    type: str
    amount: Decimal
    description: str
    order_id: str = ""


@dataclass(slots=True)
class Books:
    orders: list[Order] = field(default_factory=list)
    cancels: list[Cancel] = field(default_factory=list)
    bookings: list[Booking] = field(default_factory=list)


def write_orders(ground: Ground) -> None:
    books = Books()
    for at in ground.moments(PER_DAY, CODE_HOURS):
        _rent(ground, books, at, S(ground.choose(ENDS)))
    for days, state in RARE_ENDS:
        _rent(ground, books, ground.days_ago(days), state)
    books.orders.sort(key=lambda one: one.created_at)
    Order.objects.bulk_create(books.orders, 200)
    Cancel.objects.bulk_create(books.cancels, 200)
    _book(ground, books)
    _compare(ground)


def _rent(ground: Ground, books: Books, at: datetime, state: OrderState) -> None:
    by = ground.sender()
    region = ground.choose(REGIONS)
    handed_over = at + ground.seconds(0.05, 0.3)
    answered = handed_over + ground.seconds(0.2, 1.1)
    order = Order(
        public_id=ground.public_id(),
        account=ground.accounts["gosms"],
        project=ground.choose(PROJECTS),
        region=region,
        created_by=by,
        held_by=by,
        created_at=at,
        not_before=at,
        handed_over_at=handed_over,
        answered_at=answered,
        **_failure(state, answered) if state in (S.REFUSED, S.NOT_CREATED) else {"state": state},
    )
    order.changed_at = answered
    books.orders.append(order)
    if state not in (S.REFUSED, S.NOT_CREATED):
        _place(ground, books, order, answered)


def _failure(state: OrderState, at: datetime) -> dict[str, Any]:
    failed = {"state": state, "ended_at": at}
    if state == S.REFUSED:
        words = {"reason": Reason.NO_NUMBER_AVAILABLE, "words": "无可用号码"}
        return {**failed, **words, "http_status": 503}
    return {**failed, "reason": Reason.CONNECT_TIMED_OUT, "tries": 6}


def _place(ground: Ground, books: Books, order: Order, at: datetime) -> None:
    """The provider gave a number; the order then ends in its state."""
    digits = DIGITS[order.region]
    order.provider_id = ground.next_id("order", FIRST_ORDER)
    order.phone = f"{DIALLING[order.region]}{ground.rng.randrange(10**digits):0{digits}}"
    order.price = Decimal(PRICES[order.region])
    order.http_status = 200
    order.placed_at = at
    order.created_there = at.replace(microsecond=0)
    order.expires_there = order.created_there + LIFETIME
    order.expires_at = at + LIFETIME
    order.provider_state = str(order.state)
    _add_booking(books, order, at, ledger.HOLD, "订单冻结")
    match order.state:
        case S.COMPLETED | S.RECEIVED:
            _receive(ground, books, order, at)
        case S.CANCELLED:
            _cancel(ground, books, order, at)
        case S.EXPIRED:
            order.ended_at = at + LIFETIME + ground.seconds(1, 4)
            _add_booking(books, order, at + LIFETIME, ledger.REFUND, "订单过期")
        case S.EXPIRED_UNCONFIRMED | S.STALE:
            silent = order.state == S.EXPIRED_UNCONFIRMED
            order.provider_state = "pending" if silent else "checking"
            order.ended_at = at + LIFETIME + timedelta(minutes=5)
    order.changed_at = order.ended_at or order.sms_at or at
    order.polled_at = order.changed_at


def _receive(ground: Ground, books: Books, order: Order, at: datetime) -> None:
    code = f"{ground.rng.randrange(10**6):06}"
    received = at + min(ground.delay(45.0), timedelta(minutes=8))
    order.code = Secret(code)
    order.content = Secret(f"Your {BRANDS[order.project]} code is {code}")
    order.received_there = received.replace(microsecond=0)
    order.sms_at = received + ground.seconds(0.4, 3.5)
    if order.state == S.COMPLETED:
        done = received + timedelta(minutes=1)
        order.ended_at = done + ground.seconds(1, 4)
        _add_booking(books, order, done, ledger.RELEASE, "订单完成")


def _cancel(ground: Ground, books: Books, order: Order, at: datetime) -> None:
    asked = at + ground.seconds(90, 500)
    answered = asked + ground.seconds(0.4, 1.6)
    order.ended_at, order.ended_by = answered, order.created_by
    books.cancels.append(
        Cancel(
            order=order,
            state=CancelState.ACCEPTED,
            asked_at=asked,
            asked_by=order.created_by,
            not_before=asked,
            handed_over_at=asked + timedelta(seconds=0.2),
            answered_at=answered,
            words="订单已取消",
            refund=order.price,
        )
    )
    _add_booking(books, order, answered, ledger.REFUND, "订单取消")


def _add_booking(books: Books, order: Order, at: datetime, type_: str, description: str) -> None:
    price = Decimal(PRICES[order.region])
    at = at.replace(microsecond=0)
    books.bookings.append(Booking(at, type_, price, description, order.provider_id))


# --- money ---------------------------------------------------------------------


def _book(ground: Ground, books: Books) -> None:
    """Store the transactions, and the balance as it was read every few hours."""
    bookings = [*_without_one_refund(ground, books.bookings), *_deposits(ground)]
    bookings.sort(key=lambda one: (one.at, one.type))
    balance = LAST_BALANCE - sum((_change(one)[0] for one in bookings), Decimal(0))
    frozen = Decimal(0)
    account = ground.accounts["gosms"]
    rows, readings = [], []
    read_at = ground.start + timedelta(minutes=3)
    for one in bookings:
        while read_at < one.at:
            readings.append(_reading(ground, read_at, balance, frozen))
            read_at += READ_EVERY
        change, freeze = _change(one)
        balance, frozen = balance + change, frozen + freeze
        rows.append(
            Transaction(
                account=account,
                provider_id=ground.next_id("transaction", FIRST_TRANSACTION),
                type=one.type,
                amount=one.amount,
                balance_after=balance,
                frozen_after=None if one.type == ledger.DEPOSIT else frozen,
                description=one.description,
                order_provider_id=one.order_id,
                created_there=one.at,
                raw_created_there=f"{one.at:%Y-%m-%dT%H:%M:%SZ}",
                read_at=one.at + timedelta(minutes=4),
            )
        )
    readings.append(_reading(ground, ground.now - timedelta(minutes=4), balance, frozen))
    Transaction.objects.bulk_create(rows, 500)
    BalanceReading.objects.bulk_create(readings, 500)


def _without_one_refund(ground: Ground, bookings: list[Booking]) -> list[Booking]:
    since = ground.days_ago(NO_REFUND_DAYS_AGO)
    late = [one for one in bookings if one.description == "订单过期" and one.at > since]
    missing = min(late, key=lambda one: one.at)
    return [one for one in bookings if one is not missing]


def _deposits(ground: Ground) -> list[Booking]:
    return [
        Booking(
            ground.days_ago(days).replace(microsecond=0), ledger.DEPOSIT, Decimal(amount), "充值"
        )
        for days, amount in DEPOSITS
    ]


def _change(one: Booking) -> tuple[Decimal, Decimal]:
    """What a booking adds to the balance and to the frozen amount."""
    none = Decimal(0)
    return {
        ledger.DEPOSIT: (one.amount, none),
        ledger.HOLD: (-one.amount, one.amount),
        ledger.REFUND: (one.amount, -one.amount),
        ledger.RELEASE: (none, -one.amount),
    }[one.type]


def _reading(ground: Ground, at: datetime, balance: Decimal, frozen: Decimal) -> BalanceReading:
    return BalanceReading(
        account=ground.accounts["gosms"],
        read_at=at,
        balance=balance,
        frozen=frozen,
        available=balance - frozen,
        credit_limit=CREDIT,
        billing_type="postpaid",
        is_active=True,
    )


def _compare(ground: Ground) -> None:
    """Both lists were read a while ago, and the ledger check found what does not agree."""
    account = ground.accounts["gosms"]
    asked = ground.now - timedelta(minutes=6)
    for kind, rows in ((Reading.Kind.ORDERS, Order), (Reading.Kind.TRANSACTIONS, Transaction)):
        total = rows.objects.filter(account=account).exclude(provider_id="").count()
        Reading.objects.create(
            account=account,
            kind=kind,
            state=Reading.State.DONE,
            whole=True,
            asked_at=asked,
            started_at=asked,
            not_before=asked,
            ended_at=asked + timedelta(seconds=9),
            total=total,
            new=total,
            calls=6,
            complete=True,
        )
    ledger.check(account, ground.now)
