"""A ledger check compares what has changed, and finds what a check of everything finds."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from providers import clock
from providers.gateway.vocabulary import Transaction as Stated
from providers.models import Account
from rentals import ledger, ledger_scope, transactions
from rentals.models import Finding, Order, Reading, Transaction
from tests.factories.accounts import make_account
from tests.factories.orders import make_rented
from tests.factories.staff import make_user

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
TYPES = ("Hold", "Hold", "Hold", "Refund", "Release", "Bonus")


def mark_read(account: Account, at: datetime) -> None:
    Reading.objects.create(
        account=account,
        kind="transactions",
        state="done",
        complete=True,
        started_at=at,
        ended_at=at,
    )


def stated(key: str, type_: str, order: str, at: datetime, amount: str = "0.5") -> Stated:
    return Stated(
        transaction_id=key,
        type=type_,
        amount=Decimal(amount),
        balance_after=None,
        frozen_after=None,
        description="",
        order_id=order,
        created_at=at,
        raw_created_at=at.isoformat(),
    )


def findings(account: Account) -> list[tuple[Any, ...]]:
    rows = Finding.objects.filter(account=account).order_by("kind", "about")
    return [
        (one.kind, one.about, one.order_id, one.ours, one.theirs, one.gone_at is None)
        for one in rows
    ]


def findings_of_all(account: Account, now: datetime) -> list[tuple[Any, ...]]:
    """What a check of everything would have found at `now`; undone afterwards."""
    with transaction.atomic():
        Reading.objects.filter(account=account).update(compared_whole_at=None)
        ledger.check(account, now)
        found = findings(account)
        transaction.set_rollback(True)
    return found


@pytest.mark.parametrize("seed", range(6))
def test_it_finds_what_a_check_of_everything_finds(seed: int) -> None:
    rng = random.Random(seed)
    account, by = make_account("gosms"), make_user()
    now = clock.now() - timedelta(days=3)
    mark_read(account, now)
    ledger.check(account, now)
    orders: list[Order] = []
    for _step in range(8):
        for _change in range(rng.randrange(1, 6)):
            now += rng.randrange(1, 30) * MINUTE
            _change_something(rng, account, orders, now)
        if rng.random() < 0.7:
            mark_read(account, now - rng.randrange(3) * MINUTE)
        if rng.random() < 0.2 and (open_ := ledger.open_findings(account)):
            Finding.objects.filter(pk=rng.choice(open_).pk).update(
                explained_at=now, explained_by=by
            )
        expected = findings_of_all(account, now)
        ledger.check(account, now)
        assert findings(account) == expected
    assert Reading.objects.filter(compared_whole_at=None, compared_at__isnull=False).count() == 0


def _change_something(
    rng: random.Random, account: Account, orders: list[Order], now: datetime
) -> None:
    key = str(len(orders))
    known = rng.choice(orders).provider_id if orders else "other"
    match rng.randrange(6):
        case 0 | 1:
            orders.append(
                make_rented(
                    account,
                    state=rng.choice(["pending", "received", "expired"]),
                    provider_id=f"order{key}",
                    answered_at=now,
                    ended_at=now,
                    created_at=now,
                    changed_at=now,
                    price=Decimal("0.5"),
                )
            )
        case 2 if orders:
            changes = {"state": rng.choice(["cancelled", "completed", "unknown", "expired"])}
            changed = Order.objects.filter(pk=rng.choice(orders).pk)
            changed.update(**changes, ended_at=now, changed_at=now)
        case 3:
            book(account, [stated(f"t{rng.random()}", rng.choice(TYPES), known, now)], now)
        case 4:
            book(account, [stated(f"t{rng.random()}", "Hold", f"lost{key}", now, "0.7")], now)
        case _:
            # A second statement of an id, or two rows with it on one page.
            row = Transaction.objects.filter(account=account).order_by("?").first()
            if row is not None:
                again = stated(row.provider_id, "Hold", known, now, "0.9")
                book(account, [again] * rng.randrange(1, 3), now)


def book(account: Account, page: Sequence[Stated], now: datetime) -> None:
    transactions.import_page(account, page, now)


def test_it_compares_only_what_has_changed() -> None:
    account, now = make_account("gosms"), clock.now()
    before = now - timedelta(days=2)
    for key in ("o1", "o2", "o3"):
        make_rented(account, state="received", provider_id=key, changed_at=before)
        book(account, [stated(f"t{key}", "Hold", key, before)], before)
    mark_read(account, now - timedelta(days=1))
    ledger.check(account, now - timedelta(days=1))
    Order.objects.filter(provider_id="o2").update(changed_at=now)
    book(account, [stated("late", "Refund", "o3", before)], now)
    readings = Reading.objects.filter(account=account).order_by("-pk")
    scope = ledger_scope.scope_of(account, readings, now, now - ledger.LOOKBACK)
    assert scope.ids == frozenset({"o2", "o3"})


@pytest.mark.parametrize("days", [8, -1])
def test_everything_is_compared_once_a_week_and_after_a_clock_went_back(days: int) -> None:
    account, now = make_account("gosms"), clock.now()
    mark_read(account, now)
    ledger.check(account, now)
    Reading.objects.update(compared_whole_at=now - timedelta(days=days))
    # A person changed the row, so nothing announces it.
    order = make_rented(account, state="received", answered_at=now - timedelta(hours=5))
    Order.objects.filter(pk=order.pk).update(changed_at=now - timedelta(days=2))
    assert [one.about for one in ledger.check(account, now)] == [order.provider_id]


def test_ids_that_an_earlier_version_stored_twice_are_marked() -> None:
    account, now = make_account("gosms"), clock.now()
    book(account, [stated("t", "Hold", "o", now)], now)
    Transaction.objects.update(repeated=1, differed_at=None)
    mark_read(account, now)
    assert "doubled_id" in {one.kind for one in ledger.check(account, now)}
