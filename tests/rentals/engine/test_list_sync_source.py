"""Pruning of readings of the provider's lists."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from providers.models import Account
from rentals import tasks
from rentals.engine.list_sync_source import RETENTION
from rentals.models import Reading
from tests.factories.accounts import make_account

pytestmark = pytest.mark.django_db

ORDERS, TRANSACTIONS = Reading.Kind.ORDERS, Reading.Kind.TRANSACTIONS


@pytest.fixture
def account() -> Account:
    return make_account("gosms")


def make_ended_reading(account: Account, days: int, kind: str = ORDERS, **fields: Any) -> Reading:
    values = {"state": Reading.State.DONE, "complete": True, "whole": True, **fields}
    ended_at = timezone.now() - timedelta(days=days)
    return Reading.objects.create(account=account, kind=kind, ended_at=ended_at, **values)


def test_old_reading_is_pruned_after_a_later_complete_one(account: Account) -> None:
    make_ended_reading(account, RETENTION.days + 1)
    failed: dict[str, Any] = {"state": Reading.State.FAILED, "complete": False}
    make_ended_reading(account, RETENTION.days + 1, **failed)
    kept = [make_ended_reading(account, RETENTION.days - 1), make_ended_reading(account, 0)]
    assert tasks.prune() == 2
    assert set(Reading.objects.all()) == set(kept)


def test_last_complete_reading_is_never_pruned(account: Account) -> None:
    last = make_ended_reading(account, 400)
    make_ended_reading(account, 300, state=Reading.State.FAILED, complete=False)
    make_ended_reading(account, 1, whole=False)
    make_ended_reading(account, 1, TRANSACTIONS)
    make_ended_reading(make_account("gosms"), 1)
    tasks.prune()
    assert last in Reading.objects.all()


def test_open_reading_is_never_pruned(account: Account) -> None:
    open_reading = Reading.objects.create(account=account, kind=ORDERS)
    Reading.objects.update(asked_at=timezone.now() - timedelta(days=400))
    make_ended_reading(account, 0)
    tasks.prune()
    assert open_reading in Reading.objects.all()
