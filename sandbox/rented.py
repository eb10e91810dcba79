"""The rented numbers of the simulated GoSMS: orders, their timed events, and the money.

Source: GoSMS API document, sections 2 to 4 and 6. Money moves as in its sample rows: a Hold
moves the price from the balance to the frozen amount, a Refund moves it back, and a Release
(order completed) only subtracts it from the frozen amount.
"""

from __future__ import annotations

import heapq
import itertools
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from sandbox.provider import Account, Settings

PENDING, RECEIVED, COMPLETED = "pending", "received", "completed"
CANCELLED, EXPIRED = "cancelled", "expired"
STATUSES = (PENDING, RECEIVED, COMPLETED, CANCELLED, EXPIRED)

FIRST_ORDER_ID = 12345
FIRST_TRANSACTION_ID = 1001
CODE_IN_TEXT = re.compile(r"(?<![0-9])[0-9]{4,8}(?![0-9])")
DIALLING = {"ID": "+62812", "US": "+1555", "GB": "+447", "CN": "+861", "IN": "+919"}
BRANDS = {"whatsapp": "WhatsApp", "telegram": "Telegram", "facebook": "Facebook"}


def default_prices() -> dict[str, Decimal]:
    prices = {"ID": "0.50", "US": "1.20", "GB": "0.90", "CN": "0.80", "IN": "0.40"}
    return {region: Decimal(price) for region, price in prices.items()}


@dataclass
class GoSMSSettings(Settings):
    """GoSMS's settings. The limits are those of the document. Times are in seconds.

    sms_delay: until the SMS arrives; None: only on request. lifetime: until an order expires.
    complete_delay: from received to completed; None: never.
    prices: by region ("ID") or by project and region ("whatsapp/ID"), which takes precedence.
    stock: numbers left, with the keys of `prices`; a missing key means no limit.
    list_order: newest, oldest or shuffled; the document does not specify it.
    hide_code_when_completed: "code: only when status=received", taken literally.
    clock_skew: how far this provider's clock is ahead.
    """

    rate_per_second: int = 10
    rate_per_minute: int = 300
    sms_delay: float | None = 8.0
    lifetime: float = 600.0
    complete_delay: float | None = 60.0
    projects: list[str] = field(
        default_factory=lambda: ["whatsapp", "telegram", "facebook", "google", "nosms", "noprice"]
    )
    prices: dict[str, Decimal] = field(default_factory=default_prices)
    stock: dict[str, int] = field(default_factory=dict)
    sms_text: str = "Your {project} code is {code}"
    list_order: str = "newest"
    hide_code_when_completed: bool = False
    clock_skew: float = 0.0


@dataclass
class Order:
    """One rented number. Times are in the provider's format."""

    order_id: int
    phone: str
    project: str
    region: str
    price: Decimal
    created_at: str
    expired_at: str
    status: str = PENDING
    code: str | None = None
    content: str | None = None
    received_at: str | None = None
    held: bool = True

    def detail(self, hide_when_completed: bool) -> dict[str, object]:
        """The order as a single answer (section 3): received_at is absent before the SMS."""
        hidden = self.status == COMPLETED and hide_when_completed
        return {
            **self._start(),
            "status": self.status,
            "price": self.price,
            "code": None if hidden else self.code,
            "content": None if hidden else self.content,
            **self._received(),
            "expired_at": self.expired_at,
            "created_at": self.created_at,
        }

    def line(self) -> dict[str, object]:
        """The order as a row of a list (section 7): without content and expired_at."""
        return {
            **self._start(),
            "status": self.status,
            "price": self.price,
            "code": self.code,
            "created_at": self.created_at,
            **self._received(),
        }

    def created(self) -> dict[str, object]:
        """The order as the answer to its creation (section 2)."""
        return {
            **self._start(),
            "price": self.price,
            "status": self.status,
            "expired_at": self.expired_at,
            "created_at": self.created_at,
        }

    def _start(self) -> dict[str, object]:
        return {
            "order_id": self.order_id,
            "phone": self.phone,
            "project_code": self.project,
            "region": self.region,
        }

    def _received(self) -> dict[str, object]:
        return {"received_at": self.received_at} if self.received_at else {}


@dataclass
class Channel(Account):
    """A GoSMS account ("channel") with its orders and its transactions."""

    balance: Decimal = Decimal("1000.50")
    frozen: Decimal = Decimal("0.00")
    credit_limit: Decimal = Decimal("5000.00")
    billing_type: str = "postpaid"
    user_id: int = 123
    orders: dict[int, Order] = field(default_factory=dict, repr=False)
    by_status: dict[str, dict[int, Order]] = field(
        default_factory=lambda: {status: {} for status in STATUSES}, repr=False
    )
    transactions: list[dict[str, object]] = field(default_factory=list, repr=False)

    def can_pay(self, price: Decimal) -> bool:
        """The available amount is balance minus frozen (section 1), plus credit if postpaid."""
        credit = self.credit_limit if self.billing_type == "postpaid" else Decimal(0)
        return self.balance - self.frozen + credit >= price

    def move(self, order: Order, status: str) -> None:
        self.by_status[order.status].pop(order.order_id, None)
        order.status = status
        self.by_status[status][order.order_id] = order

    def forget(self) -> None:
        self.orders.clear()
        self.transactions.clear()
        self.frozen = Decimal("0.00")
        for orders in self.by_status.values():
            orders.clear()


class Rentals:
    """The orders of all channels. Each call to the provider applies due events with `settle`.

    `on_sms(channel, order)` is called for each arriving SMS. The provider's lock guards all of it.
    """

    def __init__(self, settings: GoSMSSettings, on_sms: Callable[[Channel, Order], None]) -> None:
        self.settings = settings
        self.channels_by_order: dict[int, Channel] = {}
        self._on_sms = on_sms
        self._offset = 0.0
        self._due: list[tuple[float, int, str, int]] = []
        self._order = itertools.count()
        self._order_ids = itertools.count(FIRST_ORDER_ID)
        self._transaction_ids = itertools.count(FIRST_TRANSACTION_ID)

    def stamp(self, offset: float = 0.0) -> str:
        """The provider's current time in the document's format."""
        moment = time.gmtime(time.time() + self.settings.clock_skew + self._offset + offset)
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", moment)

    def price(self, project: str, region: str) -> Decimal | None:
        prices = self.settings.prices
        return prices.get(f"{project}/{region}", prices.get(region))

    def take_from_stock(self, project: str, region: str) -> bool:
        stock = self.settings.stock
        for key in (f"{project}/{region}", region):
            if key in stock:
                stock[key] -= 1
                if stock[key] < 0:
                    stock[key] = 0
                    return False
                break
        return True

    def place(self, channel: Channel, project: str, region: str, price: Decimal) -> Order:
        number = next(self._order_ids)
        order = Order(
            order_id=number,
            phone=f"{DIALLING.get(region, '+999')}{number:09d}"[:15],
            project=project,
            region=region,
            price=price,
            created_at=self.stamp(),
            expired_at=self.stamp(self.settings.lifetime),
        )
        channel.orders[number] = order
        channel.by_status[PENDING][number] = order
        self.channels_by_order[number] = channel
        channel.balance -= price
        channel.frozen += price
        self._add_order_transaction(channel, "Hold", order, "订单冻结")
        if self.settings.sms_delay is not None and project != "nosms":
            self._schedule(self.settings.sms_delay, "sms", number)
        self._schedule(self.settings.lifetime, "expire", number)
        return order

    def receive(self, channel: Channel, order: Order, text: str, code: str | None) -> None:
        order.content, order.code = text, code
        order.received_at = self.stamp()
        channel.move(order, RECEIVED)
        if self.settings.complete_delay is not None:
            self._schedule(self.settings.complete_delay, "complete", order.order_id)
        self._on_sms(channel, order)

    def settle(self) -> None:
        """Apply every event that is due by now."""
        while self._due and self._due[0][0] <= time.monotonic():
            at, _, event, number = heapq.heappop(self._due)
            channel = self.channels_by_order[number]
            # The event gets the time when it was due, however late the call comes.
            self._offset = at - time.monotonic()
            self._apply(channel, channel.orders[number], event)
        self._offset = 0.0

    def _apply(self, channel: Channel, order: Order, event: str) -> None:
        if event == "sms" and order.status == PENDING:
            code = f"{secrets.randbelow(1_000_000):06d}"
            brand = BRANDS.get(order.project, order.project)
            text = self.settings.sms_text.replace("{project}", brand).replace("{code}", code)
            self.receive(channel, order, text, code if code in text else code_in(text))
        elif event == "expire" and order.status == PENDING:
            self.refund(channel, order, EXPIRED, "订单过期")
        elif event == "complete" and order.status == RECEIVED:
            channel.move(order, COMPLETED)
            if order.held:
                self._release_hold(channel, order)
                self._add_order_transaction(channel, "Release", order, "订单完成")

    def refund(self, channel: Channel, order: Order, status: str, description: str) -> None:
        channel.balance += order.price
        self._release_hold(channel, order)
        channel.move(order, status)
        self._add_order_transaction(channel, "Refund", order, description)

    def _release_hold(self, channel: Channel, order: Order) -> None:
        # An SMS after a refund must not release the hold again.
        order.held = False
        channel.frozen -= order.price

    def deposit(self, channel: Channel, amount: Decimal) -> None:
        """A deposit row has neither order_id nor frozen_balance_snapshot (section 6)."""
        self._add_transaction(channel, "Deposit", amount, {}, {"description": "充值"})

    def _add_order_transaction(
        self, channel: Channel, kind: str, order: Order, description: str
    ) -> None:
        snapshot = {"frozen_balance_snapshot": channel.frozen}
        subject = {"description": description, "order_id": order.order_id}
        self._add_transaction(channel, kind, order.price, snapshot, subject)

    def _add_transaction(
        self,
        channel: Channel,
        kind: str,
        amount: Decimal,
        snapshot: Mapping[str, object],
        subject: Mapping[str, object],
    ) -> None:
        row = {"id": next(self._transaction_ids), "type": kind, "amount": amount}
        rest = {"balance_snapshot": channel.balance, **snapshot, **subject}
        channel.transactions.append({**row, **rest, "created_at": self.stamp()})

    def _schedule(self, delay: float, event: str, number: int) -> None:
        at = time.monotonic() + self._offset + delay
        heapq.heappush(self._due, (at, next(self._order), event, number))

    def forget(self) -> None:
        self._due.clear()
        self.channels_by_order.clear()


def code_in(text: str) -> str | None:
    """The code that the provider would extract from a text: the first run of 4 to 8 digits."""
    found = CODE_IN_TEXT.search(text)
    return found.group() if found else None
