"""The demo's month of history: plausible, consistent, and never a reason for a call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import uuid4

import pytest
import time_machine
from django.apps import apps
from django.core.management import call_command
from django.db import connection, models, transaction
from django.db.models import Count, F, Q
from django_q.models import OrmQ
from pytest_django import DjangoAssertNumQueries

from alerts.models import Alarm, Delivery, Receiver, Rule
from core.phones.parse import parse_number
from messaging.apply_report import FINAL, ORDER, STATE_OF
from messaging.batches import tasks as batch_tasks
from messaging.models import Batch, DoNotSend, Message, Report
from otp import tasks as code_tasks
from otp.models import Attempt, SentCode, Session
from otp.states import ENDED as SESSION_ENDED
from otp.states import UNDER_WAY
from providers.account_facts import facts_of
from providers.callbacks import process
from providers.engine.claims import ClaimedRowSource
from providers.engine.work_source import sources
from providers.gateway.vocabulary import DeliveryState
from providers.models import Account, AccountPause, ApiCall, Approval, BalanceReading, Callback
from providers.pause_facts import pause_fact
from rentals import ledger
from rentals.models import Finding, Order, Reading, Transaction
from rentals.states import OPEN as ORDER_OPEN
from smsportal import demo
from smsportal.demo.history import write_history
from tests.support.history import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_its_end(month_of_history: datetime) -> Iterator[None]:
    with time_machine.travel(month_of_history, tick=False):
        yield


def counts_of_all_tables() -> dict[str, int]:
    return {model._meta.label: model._base_manager.count() for model in apps.get_models()}


def states_of(model: type[models.Model]) -> set[str]:
    return set(model._base_manager.values_list("state", flat=True))


def test_everything_is_there() -> None:
    assert 3_000 <= Message.objects.count() <= 6_000
    assert states_of(Message) == {
        "queued", "submitted", "in_transit", "delivered", "undelivered", "rejected", "expired",
        "refused", "unknown", "not_sent", "cancelled",
    }  # fmt: skip
    assert set(Message.objects.values_list("kind", flat=True)) == set(Message.Kind)
    assert set(Message.objects.values_list("country", flat=True)) == {"CN", "ID", "PH", "TH", "US"}
    assert Message.objects.values("account").distinct().count() == 4
    assert states_of(Session) == set(SESSION_ENDED)
    assert set(states_of(Attempt)) >= {"right", "wrong", "earlier", "not_done"}
    assert states_of(Order) == {
        "completed", "received", "cancelled", "expired", "expired_unconfirmed", "stale", "refused",
        "not_created",
    }  # fmt: skip
    assert states_of(Batch) == {"finished", "paused", "cancelled", "awaiting_approval"}
    assert Approval.objects.get(state="waiting").asked_by.username == "manager"
    assert states_of(Callback) == {"applied", "unmatched", "conflict"}
    assert set(Transaction.objects.values_list("type", flat=True)) == set(ledger.TYPES)
    assert BalanceReading.objects.values("account").distinct().count() == 2
    assert DoNotSend.objects.count() == 3
    assert set(ApiCall.objects.values_list("outcome", flat=True)) == {"done", "refused", "unknown"}
    assert {facts.state for facts in facts_of(Account.objects.all()).values()} == {
        "active",
        "paused",
    }
    senders = set(Message.objects.values_list("created_by__username", flat=True))
    assert senders == {"operator", "manager", "admin"}
    assert Message.objects.filter(state="unknown").count() == 1
    assert [one.kind for one in ledger.open_findings()] == [Finding.Kind.REFUND_MISSING]


def test_a_second_start_adds_nothing() -> None:
    before = counts_of_all_tables()
    demo.prepare()
    assert not write_history(NOW)
    assert counts_of_all_tables() == before


def test_the_same_seed_gives_the_same_rows(
    month_of_history: datetime, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    columns = ("public_id", "reference", "recipient", "state", "created_at", "reported_at")
    first = list(Message.objects.order_by("created_at", "public_id").values_list(*columns))
    orders = list(Order.objects.order_by("pk").values_list("public_id", "phone", "state"))
    alerts = list(Delivery.objects.order_by("pk").values_list("public_id", "created_at"))
    sent: tuple[type[models.Model], ...] = (Report, Attempt, SentCode, Callback, Session, Message)
    rest: tuple[type[models.Model], ...] = (Finding, Order, Batch, Transaction, Reading, DoNotSend)
    everything: tuple[type[models.Model], ...] = (
        *(*sent, *rest),
        *(ApiCall, Approval, BalanceReading, AccountPause),
        *(Alarm, Delivery, Rule, Receiver),
    )
    for model in everything:
        model._base_manager.all().delete()
    Account.objects.filter(name="HAORUI (second)").delete()
    # A start of the demo waits for it.
    with django_assert_max_num_queries(450):
        assert write_history(month_of_history)
    again = list(Message.objects.order_by("created_at", "public_id").values_list(*columns))
    assert again == first
    assert list(Order.objects.order_by("pk").values_list("public_id", "phone", "state")) == orders
    assert list(Delivery.objects.order_by("pk").values_list("public_id", "created_at")) == alerts


def test_nothing_is_due() -> None:
    """The sandbox does not know any of it, and whoever looks at the demo started none of it."""
    before = list(Message.objects.order_by("pk").values_list("pk", "state"))
    accounts = list(Account.objects.values_list("pk", flat=True))
    for source in sources():
        source.sweep()
        if isinstance(source, ClaimedRowSource):
            source.tidy(NOW)
        assert source.accounts_with_work(accounts) == set(), source.name
        for account in Account.objects.all():
            with transaction.atomic():
                assert list(source.claim(account, 10, uuid4())) == [], source.name
    batch_tasks.tend()
    code_tasks.expire()
    assert process.process_due() == 0
    assert list(Message.objects.order_by("pk").values_list("pk", "state")) == before
    assert not OrmQ.objects.filter(key="engine").exists()
    assert not Order.objects.filter(state__in=sorted(ORDER_OPEN)).exists()
    assert not Attempt.objects.filter(state__in=sorted(UNDER_WAY)).exists()
    assert set(Message.objects.filter(state="queued").values_list("batch__state")) == {("paused",)}


def test_nobody_has_these_numbers() -> None:
    numbers = {*Message.objects.values_list("recipient", flat=True)}
    numbers |= set(Order.objects.exclude(phone="").values_list("phone", flat=True))
    for number in numbers:
        parsed = parse_number(number)
        assert parsed.unusual or parsed.significant[3:8] == "55501", number
    assert not any(number.endswith(("999001", "999003")) for number in numbers)


def test_no_time_lies_ahead_or_before_the_month() -> None:
    for model in (Message, Session, Attempt, Order, Callback, Report, Transaction, Batch):
        for field in model._meta.get_fields():
            if isinstance(field, models.DateTimeField):
                late = model._base_manager.filter(**{f"{field.name}__gt": NOW})
                assert not late.exists(), f"{model.__name__}.{field.name}"
    start = NOW - timedelta(days=31)
    assert not Message.objects.filter(created_at__lt=start).exists()


def test_times_follow_each_other() -> None:
    backwards = Message.objects.filter(
        Q(handed_over_at__lt=F("created_at"))
        | Q(answered_at__lt=F("handed_over_at"))
        | Q(reported_at__lt=F("answered_at"))
        | Q(ended_at__lt=F("created_at"))
    )
    assert not backwards.exists()
    sessions = Session.objects.filter(
        Q(ended_at__lt=F("created_at")) | Q(verified_at__gt=F("expires_at"))
    )
    assert not sessions.exists()
    assert not Attempt.objects.filter(created_at__gt=F("session__expires_at")).exists()
    assert not Order.objects.filter(ended_at__lt=F("created_at")).exists()


def test_state_of_a_message_is_that_of_its_strongest_report() -> None:
    reports: dict[int, set[str]] = {}
    for pk, state in Report.objects.values_list("message", "state"):
        reports.setdefault(pk, set()).add(state)
    for message in Message.objects.all():
        reported = {DeliveryState(state) for state in reports.get(message.pk, ())}
        assert message.conflict == (len(reported & FINAL) > 1)
        assert bool(reported) == (message.reported_at is not None)
        if reported:
            assert message.state == STATE_OF[max(reported, key=ORDER.index)]


def test_processing_a_callback_again_changes_nothing() -> None:
    def rows() -> list[tuple[object, ...]]:
        found = Callback.objects.order_by("pk")
        columns = ("state", "says", "words", "subject", "matched_by", "problem", "outcomes")
        return list(found.values_list(*columns))

    before, messages = rows(), list(Message.objects.order_by("pk").values_list("state", "conflict"))
    chosen = list(Callback.objects.exclude(state="applied").values_list("pk", flat=True))
    chosen += list(Callback.objects.filter(state="applied").values_list("pk", flat=True)[:40])
    chosen += list(
        Callback.objects.filter(account__provider="otpservice").values_list("pk", flat=True)[:40]
    )
    reports = Report.objects.count()
    process.process_rows(chosen)
    assert rows() == before
    assert list(Message.objects.order_by("pk").values_list("state", "conflict")) == messages
    assert Report.objects.count() == reports


def test_codes_and_tries_fit_their_sessions() -> None:
    for session in Session.objects.prefetch_related("codes__message", "attempts"):
        codes, tries = list(session.codes.all()), list(session.attempts.all())
        assert [code.serial for code in codes] == list(range(1, len(codes) + 1))
        assert {code.message.belongs_to for code in codes} == {f"session:{session.pk}"}
        assert {code.message.recipient for code in codes} == {session.recipient}
        assert session.tries == sum(one.state != "not_done" for one in tries)
        assert (session.state == "verified") == any(one.state == "right" for one in tries)
        assert all(one.created_at <= (session.ended_at or NOW) for one in tries)


def test_figures_of_a_batch_add_up() -> None:
    for batch in Batch.objects.exclude(started_at=None).annotate(rows=Count("messages")):
        assert batch.rows == batch.good == batch.laid_out
        assert batch.row_count == batch.good + batch.refused + batch.repeated
        assert batch.segments == sum(batch.messages.values_list("segments", flat=True))
        assert batch.staged.count() == batch.refused + batch.repeated


def test_ledger_check_finds_the_same_again() -> None:
    before = list(Finding.objects.values_list("public_id", "gone_at", "about"))
    for account in Account.objects.filter(provider="gosms"):
        ledger.check(account, NOW)
    assert list(Finding.objects.values_list("public_id", "gone_at", "about")) == before


def test_balance_of_the_transactions_is_the_one_that_was_read() -> None:
    account = Account.objects.get(provider="gosms")
    rows = list(Transaction.objects.filter(account=account).order_by("created_there", "pk"))
    changes = {"Deposit": 1, "Hold": -1, "Refund": 1, "Release": 0}
    for before, after in pairwise(rows):
        assert before.balance_after is not None
        assert after.balance_after == before.balance_after + changes[after.type] * after.amount
    newest = BalanceReading.objects.filter(account=account).latest("read_at")
    assert newest.balance == rows[-1].balance_after


def test_paused_account_explains_itself() -> None:
    account = Account.objects.exclude(paused_at=None).get()
    fact = pause_fact(account, account.pause_reason, account.paused_at)
    assert fact is not None
    assert not fact.is_over
    assert "Password" in account.pause_words
    assert Message.objects.filter(account=account, words=account.pause_words).exists()
    assert not Message.objects.filter(account=account, created_at__gt=account.paused_at).exists()


def test_days_and_hours_have_a_rhythm() -> None:
    singles = Message.objects.filter(batch=None, kind="text").values_list("created_at", flat=True)
    by_weekday = Counter(moment.weekday() for moment in singles)
    assert by_weekday[6] < by_weekday[1] * 0.7
    by_hour = Counter(moment.astimezone().hour for moment in singles)
    assert max(by_hour.values()) > 5 * min(by_hour[hour] for hour in range(24))


def test_foreign_keys_hold() -> None:
    connection.check_constraints()
    call_command("check")
