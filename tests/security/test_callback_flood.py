"""Reports on nothing, sent to the right address, do not keep the queue busy for a day."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest

from providers import clock
from providers.callbacks import retry
from providers.models import Account, Callback
from tests.factories.accounts import make_account

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(retry, "MANY_UNMATCHED", 3)
    retry._crowds.forget()
    yield
    retry._crowds.forget()


@pytest.fixture
def account() -> Account:
    return make_account("haorui")


def flood(account: Account, number: int, **fields: object) -> None:
    now = clock.now()
    Callback.objects.bulk_create(
        Callback(
            account=account,
            digest=str(index),
            method="POST",
            body=b"{}",
            state=Callback.State.UNMATCHED,
            received_at=now,
            last_at=now,
            **{"next_try_at": now, **fields},
        )
        for index in range(number)
    )


def tries_of(account: Account) -> int:
    return sum(
        retry.next_retry_at(tries, account.pk) is not None
        for tries in range(1, len(retry.RETRY_DELAYS) + 1)
    )


def test_a_few_are_retried_soon_and_often(account: Account) -> None:
    flood(account, 3)
    first = retry.next_retry_at(1, account.pk)
    assert first is not None
    assert first - clock.now() < timedelta(minutes=1)
    assert tries_of(account) == len(retry.RETRY_DELAYS)


def test_many_are_retried_rarely_and_their_account_is_named(
    account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    flood(account, 4)
    with caplog.at_level(logging.WARNING, retry.__name__):
        first = retry.next_retry_at(1, account.pk)
    assert first is not None
    assert first - clock.now() > timedelta(minutes=59)
    assert tries_of(account) == 5
    assert caplog.text.count("more than 3 unmatched callbacks") == 1


def test_other_accounts_and_ended_retries_do_not_count(account: Account) -> None:
    flood(make_account("haorui"), 4)
    flood(account, 4, next_try_at=None)
    assert tries_of(account) == len(retry.RETRY_DELAYS)
