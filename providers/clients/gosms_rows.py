"""Parse the objects in GoSMS's answers. Every parser raises ValueError for unreadable data."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from providers.gateway.stated_times import CREATED, EXPIRES, RECEIVED, time_of
from providers.gateway.vocabulary import (
    Balance,
    OrderState,
    Profile,
    Rental,
    RentalPage,
    Transaction,
    TransactionPage,
)
from providers.gateway.words import (
    flag_of,
    is_no_id,
    is_nothing,
    is_placeholder,
    look_up,
    table,
    word_of,
)

from .parsing import (
    amount_of,
    count_of,
    id_of,
    required_amount,
    stated_text,
    text_field,
    text_of,
)

T = TypeVar("T")

ORDER_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""It becomes part of a URL, so it must not contain anything that could lead elsewhere."""

ORDER_STATES: Final = table(
    {
        OrderState.PENDING: "pending|等待接收短信|等待接收|等待中",
        OrderState.RECEIVED: "received|已收到短信|已收到|已接收",
        OrderState.COMPLETED: "completed|complete|订单已完成|已完成",
        OrderState.CANCELLED: "cancelled|canceled|订单已取消|已取消",
        # Missing in the document's list of states, but its three sample programs wait for it.
        OrderState.EXPIRED: "expired|订单已过期|已过期",
    }
)
"""状态说明 in the document, by its words and by their descriptions."""
TIMES: Final = (CREATED, EXPIRES, RECEIVED)
SHORT: Final = 100
"""Characters of a single word. Longer ones are cut and end in an ellipsis."""
SHORTEST: Final = 32
"""Characters of a word that the portal stores as a kind."""
LONGEST_CONTENT: Final = 100_000


class OtherOrder(ValueError):
    """The answer is about another order than the requested one."""


def rental(row: object) -> Rental:
    if not isinstance(row, dict):
        raise ValueError("no order")  # noqa: TRY004
    order_id = id_of(row.get("order_id"))
    if not ORDER_ID.fullmatch(order_id) or is_no_id(order_id):
        raise ValueError("no order id")
    raw_state = text_field(row, "status", SHORT)
    state = look_up(ORDER_STATES, row.get("status")) or OrderState.UNRECOGNISED
    return Rental(
        order_id=order_id,
        state=state,
        raw_state=raw_state,
        phone=stated_text(row.get("phone"), SHORT),
        project=stated_text(row.get("project_code"), SHORT),
        region=stated_text(row.get("region"), SHORT),
        price=amount_of(row.get("price")),
        code=stated_text(row.get("code"), SHORT) or None,
        content=_content(row.get("content"), state),
        created_at=time_of(row.get("created_at")),
        expires_at=time_of(row.get("expired_at")),
        received_at=time_of(row.get("received_at")),
        raw_times=_unread_times(row),
    )


def _content(value: object, state: OrderState) -> str | None:
    """The text of the SMS. "-" may be one, unless the order still waits for it."""
    is_none = is_placeholder(value) if state is OrderState.PENDING else is_nothing(value)
    return None if is_none else text_of(value, LONGEST_CONTENT) or None


def placed(body: Mapping[str, Any], project: str, region: str) -> Rental:
    """A newly placed order. Without a phone number it is unusable, so it is unreadable."""
    order = rental(body)
    if not order.phone:
        raise ValueError("no phone")
    warnings = []
    if word_of(order.project) not in ("", word_of(project)):
        warnings.append("other_project")
    if word_of(order.region) not in ("", word_of(region)):
        warnings.append("other_region")
    return replace(order, warnings=tuple(warnings))


def fetched(body: Mapping[str, Any], order_id: str) -> Rental:
    order = rental(body)
    if order.order_id != order_id:
        raise OtherOrder(f"order_id {order.order_id}")
    return order


def rental_page(body: Mapping[str, Any], page: int, page_size: int) -> RentalPage:
    found, unreadable = _rows(body, "orders", rental)
    total = _total(body)
    return RentalPage(found, total, *_page_and_size(body, page, page_size), unreadable)


def transaction_page(body: Mapping[str, Any], page: int, page_size: int) -> TransactionPage:
    found, unreadable = _rows(body, "transactions", transaction)
    total = _total(body)
    return TransactionPage(found, total, *_page_and_size(body, page, page_size), unreadable)


def transaction(row: object) -> Transaction:
    """A transaction. `amount` is positive for every type; the type alone gives the direction."""
    if not isinstance(row, dict):
        raise ValueError("no transaction")  # noqa: TRY004
    transaction_id = _optional_id(row.get("id"))
    if not transaction_id:
        raise ValueError("no transaction id")
    created_at = time_of(row.get("created_at"))
    return Transaction(
        transaction_id=transaction_id,
        type=text_field(row, "type", SHORT),
        amount=required_amount(row.get("amount")),
        balance_after=amount_of(row.get("balance_snapshot")),
        frozen_after=amount_of(row.get("frozen_balance_snapshot")),
        description=text_field(row, "description"),
        order_id=_optional_id(row.get("order_id")),
        created_at=created_at,
        raw_created_at="" if created_at else text_field(row, "created_at", SHORT),
    )


def balance(body: Mapping[str, Any]) -> Balance:
    return Balance(
        balance=required_amount(body.get("balance")),
        frozen=amount_of(body.get("frozen_balance")),
        available=amount_of(body.get("available_balance")),
        credit_limit=amount_of(body.get("credit_limit")),
    )


def profile(body: Mapping[str, Any]) -> Profile:
    return Profile(
        user_id=id_of(body.get("user_id")),
        username=text_field(body, "username", SHORT),
        billing_type=text_field(body, "billing_type", SHORTEST),
        is_active=flag_of(body.get("is_active")),
        balance=balance(body),
        created_at=time_of(body.get("created_at")),
    )


def _optional_id(value: object) -> str:
    stated = id_of(value)
    return "" if is_no_id(stated) else stated


def _unread_times(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: text_field(row, name, SHORT)
        for name in TIMES
        if time_of(row.get(name)) is None and not is_placeholder(row.get(name))
    }


def _rows(
    body: Mapping[str, Any], key: str, read: Callable[[object], T]
) -> tuple[tuple[T, ...], int]:
    """The readable rows and the number of unreadable ones. One bad row must not lose a page."""
    listed = body.get(key, 0)
    if listed is None:
        # Some servers write null for an empty list.
        listed = []
    if not isinstance(listed, list):
        raise ValueError("no list")  # noqa: TRY004
    found = []
    for row in listed:
        try:
            found.append(read(row))
        except ValueError:
            continue
    return tuple(found), len(listed) - len(found)


def _total(body: Mapping[str, Any]) -> int:
    total = count_of(body.get("total"))
    if total is None:
        raise ValueError("no count")
    return total


def _page_and_size(body: Mapping[str, Any], page: int, page_size: int) -> tuple[int, int]:
    """Page and page size as the provider states them, or else as we requested them."""
    stated = [count_of(body.get(key)) for key in ("page", "page_size")]
    return (
        page if stated[0] is None else stated[0],
        page_size if stated[1] is None else stated[1],
    )
