"""Parse the objects in GoSMS's answers. Every parser raises ValueError for unreadable data."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from core.money import parse_amount
from providers.gateway.vocabulary import (
    Balance,
    OrderState,
    Profile,
    Rental,
    RentalPage,
    Transaction,
    TransactionPage,
)

from .parsing import amount_of, id_of, text_field, text_of, time_of

T = TypeVar("T")

ORDER_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""It becomes part of a URL, so it must not contain anything that could lead elsewhere."""

ORDER_STATES: Final = {
    "pending": OrderState.PENDING,
    "received": OrderState.RECEIVED,
    "completed": OrderState.COMPLETED,
    "cancelled": OrderState.CANCELLED,
    # Missing in the document's list of states, but its three sample programs wait for it.
    "expired": OrderState.EXPIRED,
}
TIMES: Final = ("created_at", "expired_at", "received_at")
SHORT: Final = 100
"""Characters of a single word. Longer ones are cut and end in an ellipsis."""
LONGEST_CONTENT: Final = 100_000
MOST_ROWS: Final = 10**9


class OtherOrder(ValueError):
    """The answer is about another order than the requested one."""


def rental(row: object) -> Rental:
    if not isinstance(row, dict):
        raise ValueError("no order")  # noqa: TRY004
    order_id = id_of(row.get("order_id"))
    if not ORDER_ID.fullmatch(order_id):
        raise ValueError("no order id")
    raw_state = text_field(row, "status", SHORT)
    return Rental(
        order_id=order_id,
        state=ORDER_STATES.get(raw_state, OrderState.UNRECOGNISED),
        raw_state=raw_state,
        phone=text_field(row, "phone", SHORT),
        project=text_field(row, "project_code", SHORT),
        region=text_field(row, "region", SHORT),
        price=amount_of(row.get("price")),
        code=text_field(row, "code", SHORT) or None,
        content=text_of(row.get("content"), LONGEST_CONTENT) or None,
        created_at=time_of(row.get("created_at")),
        expires_at=time_of(row.get("expired_at")),
        received_at=time_of(row.get("received_at")),
        raw_times=_unread_times(row),
    )


def placed(body: Mapping[str, Any], project: str, region: str) -> Rental:
    """A newly placed order. Without a phone number it is unusable, so it is unreadable."""
    order = rental(body)
    if not order.phone:
        raise ValueError("no phone")
    warnings = []
    if order.project not in ("", project):
        warnings.append("other_project")
    if order.region not in ("", region):
        warnings.append("other_region")
    return replace(order, warnings=tuple(warnings))


def fetched(body: Mapping[str, Any], order_id: str) -> Rental:
    order = rental(body)
    if order.order_id != order_id:
        raise OtherOrder(f"order_id {order.order_id}")
    return order


def rental_page(body: Mapping[str, Any], page: int, page_size: int) -> RentalPage:
    found, unreadable = _rows(body, "orders", rental)
    total = _count(body.get("total"))
    return RentalPage(found, total, *_page_and_size(body, page, page_size), unreadable)


def transaction_page(body: Mapping[str, Any], page: int, page_size: int) -> TransactionPage:
    found, unreadable = _rows(body, "transactions", transaction)
    total = _count(body.get("total"))
    return TransactionPage(found, total, *_page_and_size(body, page, page_size), unreadable)


def transaction(row: object) -> Transaction:
    """A transaction. `amount` is positive for every type; the type alone gives the direction."""
    if not isinstance(row, dict):
        raise ValueError("no transaction")  # noqa: TRY004
    transaction_id = id_of(row.get("id"))
    if not transaction_id:
        raise ValueError("no transaction id")
    created_at = time_of(row.get("created_at"))
    return Transaction(
        transaction_id=transaction_id,
        type=text_field(row, "type", SHORT),
        amount=parse_amount(row.get("amount")),
        balance_after=amount_of(row.get("balance_snapshot")),
        frozen_after=amount_of(row.get("frozen_balance_snapshot")),
        description=text_field(row, "description"),
        order_id=id_of(row.get("order_id")),
        created_at=created_at,
        raw_created_at="" if created_at else text_field(row, "created_at", SHORT),
    )


def balance(body: Mapping[str, Any]) -> Balance:
    return Balance(
        balance=parse_amount(body.get("balance")),
        frozen=amount_of(body.get("frozen_balance")),
        available=amount_of(body.get("available_balance")),
        credit_limit=amount_of(body.get("credit_limit")),
    )


def profile(body: Mapping[str, Any]) -> Profile:
    is_active = body.get("is_active")
    return Profile(
        user_id=id_of(body.get("user_id")),
        username=text_field(body, "username", SHORT),
        billing_type=text_field(body, "billing_type", SHORT),
        is_active=is_active if isinstance(is_active, bool) else None,
        balance=balance(body),
        created_at=time_of(body.get("created_at")),
    )


def _unread_times(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: text_field(row, name, SHORT)
        for name in TIMES
        if row.get(name) is not None and time_of(row[name]) is None
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


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < MOST_ROWS:
        raise ValueError("no count")
    return value


def _page_and_size(body: Mapping[str, Any], page: int, page_size: int) -> tuple[int, int]:
    """Page and page size as the provider states them, or else as we requested them."""
    stated = []
    for key, requested in (("page", page), ("page_size", page_size)):
        try:
            stated.append(_count(body.get(key)))
        except ValueError:
            stated.append(requested)
    return stated[0], stated[1]
