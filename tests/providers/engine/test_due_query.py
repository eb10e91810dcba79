"""The SQL that the engine builds once finds the same rows as the ORM, at any moment."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import Q, QuerySet
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from providers.engine.due_query import DueAccounts, Moment
from providers.models import Account
from tests.factories.accounts import make_account

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def account() -> Account:
    return make_account()


def made_in_the_last_hour(now: Moment) -> QuerySet[Account]:
    return Account.objects.filter(created_at__gt=now - HOUR, created_at__lte=now)


def test_moment_is_the_time_of_each_query(account: Account) -> None:
    due = DueAccounts(made_in_the_last_hour, "pk")
    created_at = account.created_at
    found = [
        due.among([account.pk], created_at + later)
        for later in (-HOUR / 2, timedelta(0), HOUR / 2, HOUR)
    ]
    assert found == [set(), {account.pk}, {account.pk}, set()]


def test_moment_accepts_a_positive_offset(account: Account) -> None:
    due = DueAccounts(lambda now: Account.objects.filter(created_at__lte=now + HOUR), "pk")
    assert due.among([account.pk], account.created_at - HOUR) == {account.pk}
    assert due.among([account.pk], account.created_at - 2 * HOUR) == set()


def test_moment_works_in_a_subquery(account: Account) -> None:
    def without_new_ones(now: Moment) -> QuerySet[Account]:
        new = Account.objects.filter(created_at__gt=now - HOUR).values("pk")
        return Account.objects.exclude(Q(pk__in=new))

    due = DueAccounts(without_new_ones, "pk")
    assert due.among([account.pk], account.created_at) == set()
    assert due.among([account.pk], account.created_at + HOUR) == {account.pk}


def test_query_is_built_once_and_run_each_time(
    account: Account, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    made = []

    def everything(now: Moment) -> QuerySet[Account]:
        made.append(now)
        return Account.objects.all()

    due = DueAccounts(everything, "pk")
    with django_assert_num_queries(3):
        for _ in range(3):
            assert due.among([account.pk], timezone.now()) == {account.pk}
    assert len(made) == 1


def test_any_number_of_accounts_can_be_queried(account: Account) -> None:
    due = DueAccounts(lambda now: Account.objects.filter(created_at__lte=now), "pk")
    both = {account.pk, make_account().pk}
    now = timezone.now()
    assert due.among(both, now) == both
    assert due.among([account.pk], now) == {account.pk}
    assert due.among([account.pk, 0], now) == {account.pk}
    assert due.among(both, now) == both


def test_no_accounts_need_no_query(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(0):
        assert DueAccounts(lambda _: Account.objects.all(), "pk").among((), timezone.now()) == set()
