"""Readings of the provider's lists are kept for as long as something may follow from them."""

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


def ended(account: Account, days: int, kind: str = ORDERS, **fields: Any) -> Reading:
    values = {"state": Reading.State.DONE, "complete": True, "whole": True, **fields}
    ended_at = timezone.now() - timedelta(days=days)
    return Reading.objects.create(account=account, kind=kind, ended_at=ended_at, **values)


def test_an_old_one_goes_where_the_list_was_read_again_since(account: Account) -> None:
    ended(account, RETENTION.days + 1)
    failed: dict[str, Any] = {"state": Reading.State.FAILED, "complete": False}
    ended(account, RETENTION.days + 1, **failed)
    kept = [ended(account, RETENTION.days - 1), ended(account, 0)]
    assert tasks.prune() == 2
    assert set(Reading.objects.all()) == set(kept)


def test_the_last_whole_one_stays_however_old(account: Account) -> None:
    last = ended(account, 400)
    ended(account, 300, state=Reading.State.FAILED, complete=False)
    ended(account, 1, whole=False)
    ended(account, 1, TRANSACTIONS)
    ended(make_account("gosms"), 1)
    tasks.prune()
    assert last in Reading.objects.all()


def test_one_that_is_not_over_stays(account: Account) -> None:
    open_one = Reading.objects.create(account=account, kind=ORDERS)
    Reading.objects.update(asked_at=timezone.now() - timedelta(days=400))
    ended(account, 0)
    tasks.prune()
    assert open_one in Reading.objects.all()
