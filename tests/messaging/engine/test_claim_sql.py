"""Taking rows up to be sent."""

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

ME = uuid4()


@pytest.fixture
def account() -> Account:
    return make_account("haorui")


def claim(account: Account, limit: int = 100, claim: UUID = ME) -> list[int]:
    now = timezone.now()
    free, _ = claim_sql.claim(claim_sql.due_singles(now), account.pk, limit, claim, now)
    return [row.id for row in free]


def test_no_more_rows_are_claimed_than_asked_for(account: Account) -> None:
    made = [make_message(account).pk for _ in range(5)]
    assert claim(account, 3) == made[:3]
    assert claim(account, 3) == made[3:]


def test_what_is_due_first_is_claimed_first(account: Account) -> None:
    late, early = make_message(account), make_message(account)
    Message.objects.filter(pk=early.pk).update(not_before=timezone.now() - timedelta(minutes=1))
    assert claim(account, 1) == [early.pk]
    assert claim(account, 1) == [late.pk]


def test_what_is_not_due_yet_waits(account: Account) -> None:
    make_message(account, not_before=timezone.now() + timedelta(minutes=1))
    assert claim(account) == []


def test_another_account_s_row_is_left_alone(account: Account) -> None:
    make_message(make_account("haorui"))
    assert claim(account) == []


def test_the_row_names_who_claimed_it(account: Account) -> None:
    claim(account)
    make_message(account)
    (pk,) = claim(account)
    row = Message.objects.get(pk=pk)
    assert (row.state, row.claim, row.claimed_at is None) == ("claimed", ME, False)


def test_only_the_claim_that_holds_a_row_hands_it_over(account: Account) -> None:
    make_message(account)
    (pk,) = claim(account)
    claimed_at = Message.objects.get().claimed_at
    assert claimed_at is not None
    now = timezone.now()
    assert claim_sql.mark_in_flight([pk], uuid4(), claimed_at, now) == set()
    assert claim_sql.mark_in_flight([pk], ME, claimed_at - timedelta(microseconds=1), now) == set()
    assert claim_sql.mark_in_flight([pk], ME, claimed_at, now) == {pk}
    assert claim_sql.mark_in_flight([pk], ME, claimed_at, now) == set()


def test_accounts_with_a_due_row_are_found(account: Account) -> None:
    idle = make_account("haorui")
    make_message(account)
    due = claim_sql.due_singles(timezone.now())
    assert claim_sql.accounts_with_due([account.pk, idle.pk], due) == {account.pk}
    assert claim_sql.accounts_with_due([], due) == set()
