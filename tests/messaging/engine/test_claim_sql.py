"""Claiming messages and marking them in flight in SQL."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from messaging.engine import claim_sql
from messaging.models import Message
from providers.models import Account
from tests.factories.accounts import make_account
from tests.factories.messages import make_message

pytestmark = pytest.mark.django_db

LOOP = uuid4()


@pytest.fixture
def account() -> Account:
    return make_account("haorui")


def claim(account: Account, limit: int = 100, claim: UUID = LOOP) -> list[int]:
    now = timezone.now()
    free, _ = claim_sql.claim(claim_sql.due_singles(now), account.pk, limit, claim, now)
    return [row.id for row in free]


def test_claim_respects_the_limit(account: Account) -> None:
    made = [make_message(account).pk for _ in range(5)]
    assert claim(account, 3) == made[:3]
    assert claim(account, 3) == made[3:]


def test_rows_are_claimed_in_the_order_they_are_due(account: Account) -> None:
    late, early = make_message(account), make_message(account)
    Message.objects.filter(pk=early.pk).update(not_before=timezone.now() - timedelta(minutes=1))
    assert claim(account, 1) == [early.pk]
    assert claim(account, 1) == [late.pk]


def test_row_that_is_not_due_is_not_claimed(account: Account) -> None:
    make_message(account, not_before=timezone.now() + timedelta(minutes=1))
    assert claim(account) == []


def test_row_of_another_account_is_not_claimed(account: Account) -> None:
    make_message(make_account("haorui"))
    assert claim(account) == []


def test_claimed_row_holds_the_claim(account: Account) -> None:
    claim(account)
    make_message(account)
    (pk,) = claim(account)
    row = Message.objects.get(pk=pk)
    assert (row.state, row.claim, row.claimed_at is None) == ("claimed", LOOP, False)


def test_only_the_holding_claim_marks_a_row_in_flight(account: Account) -> None:
    make_message(account)
    (pk,) = claim(account)
    claimed_at = Message.objects.get().claimed_at
    assert claimed_at is not None
    now = timezone.now()
    assert claim_sql.mark_in_flight([pk], uuid4(), claimed_at, now) == set()
    assert (
        claim_sql.mark_in_flight([pk], LOOP, claimed_at - timedelta(microseconds=1), now) == set()
    )
    assert claim_sql.mark_in_flight([pk], LOOP, claimed_at, now) == {pk}
    assert claim_sql.mark_in_flight([pk], LOOP, claimed_at, now) == set()


def test_accounts_with_a_due_row_are_found(account: Account) -> None:
    idle = make_account("haorui")
    make_message(account)
    due = claim_sql.due_singles(timezone.now())
    assert claim_sql.accounts_with_due([account.pk, idle.pk], due) == {account.pk}
    assert claim_sql.accounts_with_due([], due) == set()
