"""The roll-up equals a count over the rows, whatever wrote them and in whatever order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import F

from figures import roll_up, sources, triggers
from figures.counted_tables import TABLES, Source
from figures.cuts import By, Period, classes_by, cut, total
from figures.durations import class_of, quantile
from figures.models import Figure, Mark
from figures.slots import slot_of
from figures.sources import PAID, SENT
from messaging.models import Message
from otp.models import Session
from providers import clock
from rentals.models import Order
from tests.factories.accounts import make_account
from tests.factories.batches import make_batch, numbers, start_batch
from tests.factories.messages import make_message
from tests.factories.staff import make_user

from .rows import add_message, add_order, add_session

NOON = datetime(2026, 10, 24, 12, 7, 30, tzinfo=UTC)
ADDERS: dict[Source, Callable[..., Any]] = {
    Source.MESSAGE: add_message,
    Source.SESSION: add_session,
    Source.ORDER: add_order,
}
ZONES = ("UTC", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "Europe/Berlin")


def _seconds(end: datetime | None, start: datetime | None) -> int | None:
    if end is None or start is None:
        return None
    return class_of((end - start).total_seconds())


def _message_line(row: Message) -> tuple[Any, ...]:
    sent = row.state in SENT
    return (
        "text" if row.kind == "text" else "code",
        row.account_id,
        row.country,
        row.created_by_id,
        "queued" if row.state in ("claimed", "sending") else row.state,
        row.reason,
        _seconds(row.reported_at, row.answered_at) if row.state == "delivered" else None,
        int(sent),
        int(row.state == "delivered"),
        row.segments if sent else 0,
        row.price * row.segments if sent and row.price is not None else Decimal(),
        int(sent and row.price is None),
    )


def _session_line(row: Session) -> tuple[Any, ...]:
    return (
        "session",
        row.account_id,
        row.country,
        row.created_by_id,
        row.state,
        row.reason,
        _seconds(row.verified_at, row.sent_at),
        int(row.sent_at is not None),
        int(row.state == "verified"),
        0,
        Decimal(),
        0,
    )


def _order_line(row: Order) -> tuple[Any, ...]:
    paid = row.state in PAID
    return (
        "rent",
        row.account_id,
        row.region,
        row.created_by_id,
        "queued" if row.state in ("claimed", "placing") else row.state,
        row.reason,
        _seconds(row.sms_at, row.placed_at),
        int(row.placed_at is not None),
        int(row.sms_at is not None),
        0,
        row.price if paid and row.price is not None else Decimal(),
        int(paid and row.price is None),
    )


def _counted(by: Callable[[datetime], Any]) -> dict[Any, list[Any]]:
    """The sums over the rows themselves, by the same columns as `_rolled_up`."""
    found: dict[Any, list[Any]] = {}
    lines = (
        *((row.created_at, _message_line(row)) for row in Message.objects.all()),
        *((row.created_at, _session_line(row)) for row in Session.objects.all()),
        *((row.created_at, _order_line(row)) for row in Order.objects.all()),
    )
    for at, line in lines:
        sums = found.setdefault((by(at), *line[:7]), [0, 0, 0, 0, Decimal(), 0])
        for index, value in enumerate((1, *line[7:])):
            sums[index] += value
    return found


def _rolled_up(period: Period, by: By) -> dict[Any, list[Any]]:
    columns = (by, By.KIND, By.ACCOUNT, By.COUNTRY, By.PERSON, By.STATE, By.REASON, By.TOOK)
    return {
        key: [
            line.count,
            line.accepted,
            line.succeeded,
            line.segments,
            round(Decimal(line.cost), 4),
            line.unpriced,
        ]
        for key, line in cut(period, *columns).items()
    }


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("zone_name", ZONES)
@pytest.mark.django_db
def test_every_cut_equals_a_count_over_the_rows(seed: int, zone_name: str) -> None:
    random, zone = Random(f"{seed}{zone_name}"), ZoneInfo(zone_name)
    accounts = [make_account("haorui", name="a"), make_account("gosms", name="b")]
    people = [make_user(), None]
    rows: list[Any] = []
    for step in range(40):
        # Over the night in which Berlin's clocks are set back, to the second.
        at = NOON + timedelta(seconds=random.randint(-40_000, 90_000))
        source = random.choice(list(Source))
        rows.append(ADDERS[source](random, random.choice(accounts), random.choice(people), at))
        if step % 8 == 5:
            roll_up.bring_up_to_date()
        if step % 3 == 2:
            # A report, a settlement or a late answer: the row changes after it was counted.
            row = random.choice(rows)
            other = ADDERS[_source_of(row)](random, row.account, row.created_by, row.created_at)
            row.state, row.reason = other.state, "late"
            row.save()

    assert roll_up.bring_up_to_date()

    period = Period.between(NOON - timedelta(days=2), NOON + timedelta(days=3), zone)
    by_day = _counted(lambda at: at.astimezone(zone).date())
    assert _rolled_up(period, By.DAY) == by_day
    by_hour = _counted(lambda at: _hour_of(at, zone))
    assert _rolled_up(period, By.HOUR) == by_hour
    assert {key[0] for key in by_hour} <= set(period.hours())
    assert {key[0] for key in by_day} <= set(period.days())


def _hour_of(at: datetime, zone: ZoneInfo) -> datetime:
    local = at.astimezone(zone)
    return at - timedelta(
        minutes=local.minute, seconds=local.second, microseconds=local.microsecond
    )


def _source_of(row: Any) -> Source:
    return next(source for source, table in TABLES.items() if isinstance(row, table.model))


@pytest.mark.django_db
def test_nothing_is_left_to_count_after_a_run() -> None:
    make_message()

    assert Mark.objects.exists()
    assert roll_up.bring_up_to_date()

    assert not Mark.objects.exists()
    assert total(_around_now()).count == 1
    assert roll_up.complete_at() is not None


@pytest.mark.django_db
def test_moves_on_the_way_to_the_provider_change_no_figure() -> None:
    message = make_message()
    roll_up.bring_up_to_date()

    Message.objects.filter(pk=message.pk).update(state="claimed")
    Message.objects.filter(pk=message.pk).update(state="sending", handed_over_at=clock.now())

    assert not Mark.objects.exists()
    Message.objects.filter(pk=message.pk).update(state="submitted")
    assert Mark.objects.exists()


@pytest.mark.parametrize(
    ("source", "column"),
    [(source, column) for source, table in TABLES.items() for column in table.columns],
)
@pytest.mark.django_db
def test_change_of_each_counted_column_marks_its_slot(source: Source, column: str) -> None:
    account, person = make_account(), make_user()
    row = ADDERS[source](Random(3), account, person, NOON)
    roll_up.bring_up_to_date()
    value: Any = {
        "state": "cancelled",
        "account_id": make_account(name="other").pk,
        "created_by_id": None,
        "kind": "own_code" if getattr(row, "kind", "") == "text" else "text",
        "segments": 9,
        "price": Decimal("7.5"),
        "country": "FR",
        "region": "FR",
        "reason": "other",
    }.get(column, NOON + timedelta(days=1))
    if value == getattr(row, column):
        value = "expired"

    type(row)._default_manager.filter(pk=row.pk).update(**{column: value})

    assert list(Mark.objects.values_list("source", "slot")) == [(source, slot_of(NOON))]


@pytest.mark.django_db
def test_batch_is_counted_with_the_price_it_was_queued_at() -> None:
    account = make_account(price_per_segment=Decimal("0.05"))
    batch = start_batch(make_batch(numbers(30), account))
    call_command("figures")
    account.price_per_segment = Decimal(9)
    account.save()
    Message.objects.filter(batch=batch).update(state="submitted")

    roll_up.bring_up_to_date()

    (line,) = cut(_around_now(), By.BATCH).items()
    assert line[0] == (batch.pk,)
    assert (line[1].count, line[1].accepted, line[1].cost) == (30, 30, Decimal("1.5"))


@pytest.mark.django_db
def test_change_during_the_count_leaves_the_slot_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    message = make_message()
    counted = sources.figures_of

    def count_and_change(source: Source, first: int, end: int) -> list[Figure]:
        figures = counted(source, first, end)
        Message.objects.filter(pk=message.pk).update(state="submitted", reason="")
        return figures

    monkeypatch.setattr(roll_up, "figures_of", count_and_change)
    slot = slot_of(message.created_at)
    assert roll_up.count_slots([(Source.MESSAGE, slot)])
    monkeypatch.undo()

    if connection.vendor == "sqlite":
        # On PostgreSQL the change of this test is in the transaction that is counted.
        assert Mark.objects.filter(slot=slot).exists()
    Message.objects.filter(pk=message.pk).update(reason="late")
    assert roll_up.bring_up_to_date()
    assert {key: line.count for key, line in cut(_around_now(), By.STATE).items()} == {
        ("submitted",): 1
    }


@pytest.mark.django_db
def test_run_ends_although_messages_go_on_changing(monkeypatch: pytest.MonkeyPatch) -> None:
    message = make_message()
    counted, runs = sources.figures_of, []

    def count_and_change(source: Source, first: int, end: int) -> list[Figure]:
        runs.append(source)
        figures = counted(source, first, end)
        Message.objects.filter(pk=message.pk).update(reason=f"change {len(runs)}")
        return figures

    monkeypatch.setattr(roll_up, "figures_of", count_and_change)

    assert roll_up.bring_up_to_date(longest=3)
    assert runs == [Source.MESSAGE]
    assert roll_up.complete_at() is not None


@pytest.mark.django_db
def test_rebuild_keeps_figures_whose_rows_are_gone() -> None:
    account, old = make_account(), NOON - timedelta(days=400)
    add_message(Random(1), account, None, old)
    roll_up.bring_up_to_date()
    make_message(account)
    Message.objects.filter(created_at=old).delete()

    call_command("figures", "--rebuild")

    assert total(Period.between(old, old, UTC)).count == 1
    assert total(_around_now()).count == 1


@pytest.mark.django_db
def test_trigger_that_was_lost_is_made_again_and_all_is_counted() -> None:
    make_message()
    roll_up.bring_up_to_date()
    triggers.remove()
    Message.objects.update(state="submitted")
    assert not Mark.objects.exists()
    assert len(triggers.missing_triggers()) == 6

    triggers.install()
    roll_up.bring_up_to_date()

    assert triggers.missing_triggers() == []
    assert cut(_around_now(), By.STATE).keys() == {("submitted",)}


@pytest.mark.django_db
def test_median_of_a_cut_is_read_from_its_classes() -> None:
    account = make_account()
    for seconds in (2, 2, 2, 40, 400):
        message = make_message(account, state="delivered", answered_at=NOON)
        Message.objects.filter(pk=message.pk).update(
            reported_at=F("answered_at") + timedelta(seconds=seconds)
        )
    roll_up.bring_up_to_date()

    median = quantile(classes_by(_around_now())[()], 0.5)

    assert median is not None
    assert 2 <= median <= 3
    assert Counter(
        {key[0]: line.count for key, line in cut(_around_now(), By.TOOK).items()}
    ) == Counter(map(class_of, (2, 2, 2, 40, 400)))


@pytest.mark.django_db(transaction=True)
def test_change_that_was_rolled_back_is_not_counted() -> None:
    with transaction.atomic():
        make_message()
        transaction.set_rollback(True)

    assert not Mark.objects.exists()
    roll_up.bring_up_to_date()
    assert total(_around_now()).count == 0


def _around_now() -> Period:
    now = clock.now()
    return Period.between(now - timedelta(hours=2), now + timedelta(hours=1), UTC)
