"""What waits when a hold begins is sent by no path, until a person releases it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from itertools import count
from uuid import uuid4

import pytest
import time_machine
from django.conf import LazySettings
from django.utils import timezone

from messaging.batches import tasks as batch_tasks
from messaging.batches.states import BatchState
from messaging.models import Batch, Message
from messaging.states import MessageState
from otp.models import Attempt
from otp.states import AttemptState
from providers.engine.work_source import sources
from providers.models import Account, Hold
from rentals.models import Cancel, Order
from rentals.states import CANCEL_OPEN, CancelState, OrderState
from smsportal.task_queue.schedules import scheduled_tasks
from tests.factories.accounts import make_account
from tests.factories.batches import make_batch, numbers, start_batch
from tests.factories.codes import make_sent_session, make_session
from tests.factories.messages import make_message
from tests.factories.orders import change, make_order, make_rented
from tests.factories.staff import make_user
from tests.support.holds import (
    begin_hold,
    claim_all,
    count_undecided,
    discard_all,
    never_repeated_sources,
    release_all,
)

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

SANDBOX = "http://127.0.0.1:18999"
_serial = count(1)


def number() -> str:
    return f"+86139{next(_serial):08}"


class World:
    """Rows in every state of every model, on one account of each provider."""

    def __init__(self, base_url: str) -> None:
        self.texts = make_account("haorui", base_url=base_url)
        self.codes = make_account("haosms", base_url=base_url)
        self.checks = make_account("otpservice", base_url=base_url)
        self.rents = make_account("gosms", base_url=base_url)
        self._make_messages()
        self._make_batches()
        self._make_codes()
        self._make_orders()

    @property
    def accounts(self) -> list[Account]:
        return [self.texts, self.codes, self.checks, self.rents]

    def _make_messages(self) -> None:
        for state in MessageState:
            make_message(self.texts, recipient=number(), **columns_of(state))
            make_session(self.codes, recipient=number())
            message = Message.objects.latest("pk")
            Message.objects.filter(pk=message.pk).update(**columns_of(state))

    def _make_batches(self) -> None:
        by = make_user("messaging.bulk_message")
        for state in BatchState:
            start = 1_000_000 + 100 * next(_serial)
            batch = make_batch(numbers(len(MessageState), start), self.texts, by=by)
            if state in (BatchState.SENDING, BatchState.PAUSED, BatchState.FINISHED):
                start_batch(batch)
                for row, one in zip(batch.messages.order_by("pk"), MessageState, strict=True):
                    Message.objects.filter(pk=row.pk).update(**columns_of(one))
            soon = timezone.now() + timedelta(minutes=5)
            Batch.objects.filter(pk=batch.pk).update(
                state=state,
                answerable=by,
                scheduled_for=soon if state == BatchState.SCHEDULED else None,
                reading_run=None,
            )
        half_laid_out = make_batch(numbers(3, 9_000_000 + next(_serial)), self.texts, by=by)
        Batch.objects.filter(pk=half_laid_out.pk).update(
            state=BatchState.SENDING,
            answerable=by,
            started_at=timezone.now(),
            moved_at=timezone.now(),
        )

    def _make_codes(self) -> None:
        for state in AttemptState:
            session = make_sent_session(self.checks, recipient=number())
            Attempt.objects.create(
                session=session,
                sent_code=session.newest_code(),
                account=self.checks,
                state=state,
                code="482913",
                **claim_of(state),
            )

    def _make_orders(self) -> None:
        for state in OrderState:
            if state == OrderState.HELD:
                continue
            order = make_order(self.rents, project=f"app{next(_serial)}")
            change(order, state=state, **claim_of(state), answered_at=timezone.now())
            order = make_order(self.rents, project=f"app{next(_serial)}", keep_trying=60 * 48)
            change(order, state=state, **claim_of(state), reason="no_number_available")
        for cancel_state in CancelState:
            order = make_rented(self.rents)
            Cancel.objects.create(order=order, state=cancel_state, **claim_of(cancel_state))
        make_rented(self.rents, cancel_at=timezone.now() - timedelta(seconds=1))


def claim_of(state: str) -> dict[str, object]:
    """The columns of a claim, for the states that have one."""
    now = timezone.now()
    if state == "claimed":
        return {"claim": uuid4(), "claimed_at": now}
    if state in ("sending", "placing"):
        return {"claim": uuid4(), "claimed_at": now, "handed_over_at": now}
    return {}


def columns_of(state: MessageState) -> dict[str, object]:
    return {"state": state, **claim_of(state)}


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        yield clock


@pytest.fixture
def world(clock: time_machine.Traveller) -> World:
    return World("http://127.0.0.1:9")


@pytest.fixture
def hold(world: World) -> Hold:
    return begin_hold()


def run_all_upkeep() -> None:
    """Everything that the portal does automatically, a few times."""
    for _ in range(3):
        for task in scheduled_tasks():
            module, _dot, name = task.func.rpartition(".")
            getattr(import_module(module), name)()
        for batch in Batch.objects.all():
            batch_tasks.lay_out(batch.pk)
            batch_tasks.cancel_rest(batch.pk)
        for source in sources():
            source.sweep()


def held_states() -> list[tuple[str, int, str]]:
    rows: list[tuple[str, int, str]] = []
    for model in (Message, Batch, Order):
        name = model.__name__
        held = model._default_manager.filter(hold__isnull=False).order_by("pk")
        rows += [(name, pk, state) for pk, state in held.values_list("pk", "state")]
    return rows


def test_there_is_something_due_without_a_hold(world: World) -> None:
    """Else the other tests would prove nothing."""
    found = {type(job).__name__ for job in claim_all()}
    assert found == {"MessageJob", "CheckJob", "PlaceJob", "CancelJob"}
    assert len(never_repeated_sources()) == 5


def test_nothing_is_due_once_a_hold_has_begun(hold: Hold) -> None:
    assert claim_all() == []
    assert count_undecided(hold) > 30


def test_nothing_becomes_due_by_upkeep(hold: Hold, clock: time_machine.Traveller) -> None:
    run_all_upkeep()
    assert claim_all() == []
    clock.shift(timedelta(minutes=10))
    run_all_upkeep()
    assert claim_all() == []


def test_age_leaves_what_is_on_hold_alone(hold: Hold, clock: time_machine.Traveller) -> None:
    texts_and_orders = [row for row in held_states() if row[2] not in ("sending", "placing")]
    codes = set(Message.objects.exclude(kind=Message.Kind.TEXT).values_list("pk", flat=True))
    clock.shift(timedelta(hours=25))
    run_all_upkeep()
    assert claim_all() == []
    states = {(name, pk): state for name, pk, state in held_states()}
    for name, pk, state in texts_and_orders:
        if name == "Message" and pk in codes:
            assert states[name, pk] in (state, "unknown")
        elif (name, state) != ("Batch", "reading"):
            assert states[name, pk] == state


def test_discarded_rows_are_never_due(hold: Hold, clock: time_machine.Traveller) -> None:
    assert discard_all(hold) > 30
    assert count_undecided(hold) == 0
    run_all_upkeep()
    clock.shift(timedelta(hours=25))
    run_all_upkeep()
    assert claim_all() == []
    kept = Message.objects.filter(hold=hold).values_list("state", flat=True)
    assert not {"held", "queued", "cancelled", "not_sent"} & set(kept)


def test_released_rows_are_due_exactly_once(hold: Hold) -> None:
    assert release_all(hold) > 20
    assert count_undecided(hold) == 0
    for batch in Batch.objects.all():
        batch_tasks.lay_out(batch.pk)
    rows = [job.subject for job in claim_all()]
    of_batches = Message.objects.filter(batch__state="sending", state="claimed")
    singles = Message.objects.filter(batch=None, state="claimed")
    orders = Order.objects.filter(state="claimed")
    assert (of_batches.count(), singles.count(), orders.count()) == (5, 8, 4)
    assert len(rows) == len(set(rows)) == 17
    assert release_all(hold) == 0
    assert claim_all() == []


def test_accounts_of_the_sandbox_continue(
    clock: time_machine.Traveller, settings: LazySettings
) -> None:
    settings.SANDBOX_URL = SANDBOX
    world = World(f"{SANDBOX}/api")
    hold = begin_hold()
    assert count_undecided(hold) == 0
    found = {type(job).__name__ for job in claim_all(world.accounts)}
    assert found == {"MessageJob", "CheckJob", "PlaceJob", "CancelJob"}


def test_new_work_of_staff_is_sent(hold: Hold, world: World) -> None:
    message = make_message(world.texts, recipient=number())
    order = make_order(world.rents, project="new")
    batch = start_batch(make_batch(numbers(2, 7_000_000), world.texts))
    subjects = {job.subject for job in claim_all()}
    expected = {f"message:{pk}" for pk in batch.messages.values_list("pk", flat=True)}
    assert subjects == expected | {f"message:{message.pk}", f"order:{order.pk}"}


def test_call_that_was_not_made_is_not_made_after_the_hold_began(
    hold: Hold, clock: time_machine.Traveller
) -> None:
    """A row in flight may come back to its queue, because its call was certainly not made."""
    Message.objects.filter(state="sending", hold=hold).update(state="queued", claim=None)
    Order.objects.filter(state="placing", hold=hold).update(state="queued", claim=None)
    assert claim_all() == []
    run_all_upkeep()
    assert not Message.objects.filter(state="queued", hold=hold).exists()
    assert not Order.objects.filter(state="queued", hold=hold).exists()
    assert claim_all() == []


def test_every_open_cancel_is_left_to_the_answer_of_its_order(hold: Hold) -> None:
    assert not Cancel.objects.filter(state__in=CANCEL_OPEN - {CancelState.SENDING}).exists()
