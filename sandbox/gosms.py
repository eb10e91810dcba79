"""Simulates GoSMS: the seven endpoints under `/gosms/api/v1`.

Source: GoSMS API document, sections 1 to 7, its error codes and its rate limits. The document
gives no HTTP status for ORDER_EXPIRED and PRICE_CALCULATION_ERROR (here 400 and 500) and no error
code for 403 and 429 (here the body has none).

Special values: project "nosms" never receives an SMS, project "noprice" has no price
(PRICE_CALCULATION_ERROR), and a region without a price ("AQ") has no numbers.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping

from sandbox import credentials
from sandbox.book import SMS, Book, Entry
from sandbox.callbacks import Pusher
from sandbox.exchange import Reply, Request
from sandbox.provider import Call, ControlError, Provider
from sandbox.rented import (
    CANCELLED,
    COMPLETED,
    EXPIRED,
    PENDING,
    RECEIVED,
    Channel,
    GoSMSSettings,
    Order,
    Rentals,
    code_in,
)

FIXED = {
    ("POST", "/order"): "create_order",
    ("GET", "/user/balance"): "balance",
    ("GET", "/user/profile"): "profile",
    ("GET", "/user/transactions"): "transactions",
    ("GET", "/user/orders"): "orders",
}
ORDER = re.compile(r"/order/([^/]+)(/cancel)?")
REGION = re.compile(r"[A-Z]{2}")
FILTERS = (PENDING, RECEIVED, COMPLETED, CANCELLED)
PAGE_SIZE, MAX_PAGE_SIZE = 20, 100
SINCE = "2025-01-01T00:00:00Z"

UNAUTHORIZED = (401, "未授权", "UNAUTHORIZED")
DISABLED = (403, "账号被禁用", "")
LIMITED = (429, "请求过于频繁", "")
INVALID = (400, "参数错误", "INVALID_PARAMS")
NOT_PENDING = (400, "只能取消pending状态的订单", "INVALID_PARAMS")
NOT_FOUND = (404, "订单不存在", "ORDER_NOT_FOUND")
ORDER_EXPIRED = (400, "订单已过期", "ORDER_EXPIRED")
NO_MONEY = (402, "余额不足", "INSUFFICIENT_BALANCE")
NO_NUMBER = (503, "无可用号码", "NO_AVAILABLE_NUMBER")
NO_PRICE = (500, "价格计算失败", "PRICE_CALCULATION_ERROR")


class GoSMS(Provider):
    name = "gosms"
    label = "GoSMS"
    prefix = "/gosms/api/v1"
    operations = (
        "create_order",
        "get_order",
        "cancel_order",
        "orders",
        "balance",
        "profile",
        "transactions",
    )
    polls = ("get_order", "orders", "balance", "profile", "transactions")
    phone_fields = {"create_order": ("phone", "")}
    account_class = Channel
    settings: GoSMSSettings

    def __init__(self, book: Book, pusher: Pusher) -> None:
        self.settings = GoSMSSettings()
        self.rentals = Rentals(self.settings, self._record_sms)
        super().__init__(book, pusher)

    def default_account(self) -> Channel:
        return Channel(credentials.PRACTICE, credentials.GOSMS_API_KEY)

    def route(self, method: str, path: str) -> str | None:
        if (method, path) in FIXED:
            return FIXED[method, path]
        found = ORDER.fullmatch(path)
        if found and found.group(2):
            return "cancel_order" if method == "POST" else None
        return "get_order" if found and method == "GET" else None

    def read(self, operation: str, request: Request) -> Call:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        account = self.find(key.strip()) if scheme.lower() == "bearer" else None
        fields: dict[str, object] = dict(request.parameters())
        found = ORDER.fullmatch(request.path)
        if found:
            fields["order_id"] = found.group(1)
        elif operation == "create_order":
            fields = request.json_object() or {}
        return Call(operation, account, fields)

    def act(self, call: Call) -> Reply:
        channel = call.account
        if not isinstance(channel, Channel):
            return _refuse(UNAUTHORIZED)
        if not channel.active:
            return _refuse(DISABLED)
        self.rentals.settle()
        if not channel.transactions:
            self.rentals.deposit(channel, channel.balance)
        if call.operation in ("get_order", "cancel_order"):
            return self._one_order(call, channel)
        match call.operation:
            case "create_order":
                return self._create(call, channel)
            case "orders":
                return self._orders(call, channel)
            case "transactions":
                return self._transactions(call, channel)
            case "balance":
                return Reply(_balance(channel))
        return Reply(_profile(channel))

    def _create(self, call: Call, channel: Channel) -> Reply:
        project, region = call.fields.get("project_code"), call.fields.get("region")
        if not isinstance(project, str) or not isinstance(region, str) or not project:
            return _refuse(INVALID)
        if not REGION.fullmatch(region) or project not in self.settings.projects:
            return _refuse(INVALID)
        price = self.rentals.price(project, region)
        if project == "noprice":
            return _refuse(NO_PRICE)
        if price is None:
            return _refuse(NO_NUMBER)
        if not channel.can_pay(price):
            return _refuse(NO_MONEY)
        if not self.rentals.take_from_stock(project, region):
            return _refuse(NO_NUMBER)
        order = self.rentals.place(channel, project, region, price)
        number = str(order.order_id)
        notes: dict[str, object] = {"phone": order.phone}
        return Reply(order.created(), outcome="created", message_id=number, notes=notes)

    def _one_order(self, call: Call, channel: Channel) -> Reply:
        number = str(call.fields["order_id"])
        whole = number.isascii() and number.isdigit() and len(number) < 20
        order = channel.orders.get(int(number)) if whole else None
        if order is None:
            return _refuse(NOT_FOUND)
        if call.operation == "get_order":
            return Reply(
                order.detail(self.settings.hide_code_when_completed),
                outcome=order.status,
                message_id=number,
            )
        if order.status != PENDING:
            return _refuse(ORDER_EXPIRED if order.status == EXPIRED else NOT_PENDING)
        self.rentals.refund(channel, order, CANCELLED, "订单取消")
        payload = {"message": "订单已取消,金额已退回", "refund_amount": order.price}
        return Reply(payload, outcome="cancelled", message_id=number)

    def _orders(self, call: Call, channel: Channel) -> Reply:
        status = call.fields.get("status")
        if status and status not in FILTERS:
            return _refuse(INVALID)
        chosen = channel.by_status[str(status)] if status else channel.orders
        page = _page(call.fields)
        if page is None:
            return _refuse(INVALID)
        rows = [chosen[key].line() for key in _cut(self._sort(sorted(chosen)), page)]
        payload = {"orders": rows, "total": len(chosen), "page": page[0], "page_size": page[1]}
        return Reply(payload)

    def _transactions(self, call: Call, channel: Channel) -> Reply:
        page = _page(call.fields)
        if page is None:
            return _refuse(INVALID)
        every = channel.transactions
        rows = [every[index] for index in _cut(self._sort(list(range(len(every)))), page)]
        payload = {"transactions": rows, "total": len(every)}
        return Reply({**payload, "page": page[0], "page_size": page[1]})

    def _sort(self, ages: list[int]) -> list[int]:
        if self.settings.list_order == "newest":
            ages.reverse()
        elif self.settings.list_order == "shuffled":
            random.shuffle(ages)
        return ages

    def limited(self) -> Reply:
        return _refuse(LIMITED)

    def _record_sms(self, channel: Channel, order: Order) -> None:
        self.book.add(
            Entry(
                kind=SMS,
                provider=self.name,
                operation="sms",
                account=channel.label,
                fields={"phone": order.phone, "content": order.content, "code": order.code},
                message_id=str(order.order_id),
                outcome="arrived",
                accepted=True,
            )
        )

    def deliver_sms(self, message_id: str, text: str, code: str | None) -> None:
        """Let an SMS arrive, even on an order that was cancelled or has expired.

        A late SMS costs nothing here: the document does not say what would happen.
        """
        with self.lock:
            self.rentals.settle()
            number = int(message_id) if message_id.isascii() and message_id.isdigit() else -1
            channel = self.rentals.channels_by_order.get(number)
            if channel is None:
                raise ControlError(
                    f"GoSMS has no order {message_id}.", "unknown_order", id=message_id
                )
            order = channel.orders[number]
            if order.status in (RECEIVED, COMPLETED):
                raise ControlError(
                    f"Order {message_id} has its SMS already.", "has_sms", id=message_id
                )
            self.rentals.receive(channel, order, text, code_in(text) if code is None else code)

    def reset(self) -> None:
        with self.lock:
            self.rentals.forget()
            for channel in self.accounts.values():
                if isinstance(channel, Channel):
                    channel.forget()

    def contradict(self, payload: dict[str, object]) -> dict[str, object]:
        """The data of another order, or an error in a successful answer."""
        if "order_id" in payload:
            return {**payload, "order_id": 1, "phone": "+10000000000"}
        return {**payload, "error": "余额不足", "code": "INSUFFICIENT_BALANCE"}


def _refuse(problem: tuple[int, str, str]) -> Reply:
    status, error, code = problem
    payload = {"error": error, "code": code} if code else {"error": error}
    return Reply(payload, status, f"refused: {code or status}", accepted=False)


def _page(fields: Mapping[str, object]) -> tuple[int, int] | None:
    """The page number and page size, or None if invalid. A size over the maximum is capped."""
    numbers = []
    for name, default in (("page", "1"), ("page_size", str(PAGE_SIZE))):
        text = str(fields.get(name, default))
        if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) < 1:
            return None
        numbers.append(int(text))
    return numbers[0], min(numbers[1], MAX_PAGE_SIZE)


def _cut(rows: list[int], page: tuple[int, int]) -> list[int]:
    number, size = page
    return rows[(number - 1) * size : number * size]


def _balance(channel: Channel) -> dict[str, object]:
    return {
        "balance": channel.balance,
        "frozen_balance": channel.frozen,
        "available_balance": channel.balance - channel.frozen,
        "credit_limit": channel.credit_limit,
    }


def _profile(channel: Channel) -> dict[str, object]:
    return {
        "user_id": channel.user_id,
        "username": "channel_demo",
        "email": "demo@example.com",
        "balance": channel.balance,
        "frozen_balance": channel.frozen,
        "credit_limit": channel.credit_limit,
        "billing_type": channel.billing_type,
        "is_active": channel.active,
        "created_at": SINCE,
    }
