"""No claim, sweep, scheduled task or ledger check reads or sorts a whole large table."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from messaging.engine import claim_sql
from providers.engine import far_times
from providers.engine.work_source import sources
from providers.models import Account, ApiCall
from rentals import ledger
from rentals.models import Reading, Transaction
from smsportal.task_queue.schedules import scheduled_tasks
from tests.plans.explain import captured, faults_of, prepare
from tests.plans.rows import make_rows
from tests.support.module_rows import undone_after_module

pytestmark = pytest.mark.django_db

WAITING = (
    "message_code_by_state",
    "message_due",
    "message_under_way",
    "order_poll_claimed",
    "transaction_differed",
    "order_due",
    "order_open",
    "order_poll_due",
    # Of states that an order or a session leaves soon.
    "order_by_account_state",
    "order_by_end",
    # Of 500 orders at most.
    "transaction_of_order",
    # One message belongs to a batch here.
    "one_message_per_row",
)
"""Indexes by which the engine finds what waits. The rows that it asks them for are few."""
OF_BATCHES = ("message_by_batch",)
"""One message belongs to a batch here, so PostgreSQL may read the states of them all instead."""
TASKS = [task.func for task in scheduled_tasks()]
READS_ALL = {
    # Whole by nature, once a day: rows that are pruned, and the copy of the database.
    "smsportal.backup.tasks.start_when_due",
    # Starts processes.
    "providers.tasks.keep_engine_running",
}


@pytest.fixture(scope="module")
def made_rows(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[int]:
    with undone_after_module(django_db_blocker):
        account = make_rows()
        prepare()
        yield account.pk


@pytest.fixture
def rare(made_rows: int, db: None) -> Account:
    return Account.objects.get(pk=made_rows)


def require_plans(work: Callable[[], object], few: Collection[str] = ()) -> None:
    if found := faults(work, few):
        pytest.fail(found)


def faults(work: Callable[[], object], few: Collection[str] = ()) -> str:
    with captured() as asked:
        work()
    return "\n\n".join(faults_of(asked, [*WAITING, *few]))


@pytest.mark.parametrize("name", [source.name for source in sources()])
def test_engine_source(rare: Account, name: str) -> None:
    (source,) = (one for one in sources() if one.name == name)
    accounts = list(Account.objects.all())

    def serve() -> None:
        source.accounts_with_work([one.pk for one in accounts])
        for account in accounts:
            with transaction.atomic():
                claim = uuid4()
                jobs = source.claim(account, 10, claim)
                source.release(source.mark_in_flight(jobs, claim), claim)
        source.sweep()

    require_plans(serve, OF_BATCHES if name == "batches" else ())


@pytest.mark.parametrize("task", sorted(set(TASKS) - READS_ALL))
def test_scheduled_task(rare: Account, task: str) -> None:
    module, _, name = task.rpartition(".")
    few = OF_BATCHES if task == "messaging.batches.tasks.tend" else ()
    require_plans(getattr(importlib.import_module(module), name), few)


def test_claims_of_a_batch(rare: Account) -> None:
    now = timezone.now()
    due = claim_sql.due_of_batch(1, now, claiming=True)

    def claim() -> None:
        claim_sql.accounts_with_due([rare.pk], due)
        claim_sql.claim(due, rare.pk, 10, uuid4(), now)

    require_plans(claim)


def test_times_that_lie_far_ahead(rare: Account) -> None:
    require_plans(far_times.bring_all_near)


def test_ledger_check_of_what_has_changed(rare: Account) -> None:
    account = Account.objects.get(provider="gosms")
    now = timezone.now()
    Transaction.objects.update(read_at=now - timedelta(days=2))
    prepare()
    Reading.objects.create(
        account=account,
        kind="transactions",
        state="done",
        complete=True,
        started_at=now,
        compared_at=now,
        compared_whole_at=now,
    )
    require_plans(lambda: ledger.check(account, now + timedelta(hours=1)))


def test_a_fault_is_found(rare: Account) -> None:
    """The tests above would notice: nothing has an index for the length of a call."""
    assert faults(lambda: list(ApiCall.objects.filter(duration=1.0)))
    assert faults(lambda: list(ApiCall.objects.filter(outcome="done").order_by("duration")))
