"""Rows claimed or in flight in the old version.

The current engine settles them by the usual rules and never repeats a call.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import Model
from django.utils import timezone

from messaging.models import Message
from otp.models import Attempt
from providers.engine.work_source import sources
from providers.models import Account, Enquiry, Heartbeat
from rentals.models import Cancel, Order, Reading
from sandbox.server import Sandbox
from tests.support.engine import run_engine, run_rounds

pytestmark = [pytest.mark.each_database, pytest.mark.usefixtures("upgraded")]

PAID = (Message, Order, Cancel, Attempt)
CALLED = {"Message": "sending", "Order": "placing", "Cancel": "sending", "Attempt": "sending"}
SETTLED = {"Message": "unknown", "Order": "unknown", "Cancel": "unclear", "Attempt": "unknown"}

Keys = dict[type[Model], set[int]]


@pytest.fixture(autouse=True)
def abandoned_claims(upgraded: None) -> None:
    """The loops of the old version died 121 seconds ago, whatever the age of the dump."""
    long_ago = timezone.now() - timedelta(seconds=121)
    Heartbeat.objects.filter(name__startswith="loop:").delete()
    for model in (*PAID, Enquiry, Reading):
        model._default_manager.filter(claim__isnull=False).update(claimed_at=long_ago)
    for paid in PAID:
        called = paid._default_manager.filter(claim__isnull=False, handed_over_at__isnull=False)
        called.update(handed_over_at=long_ago)
    # No row is old enough to be held or given up, and no order of unknown outcome blocks the
    # other orders.
    Message.objects.update(queued_at=timezone.now())
    Order.objects.update(created_at=timezone.now())
    Order.objects.filter(state="unknown").update(answered_at=long_ago)
    Attempt.objects.update(created_at=timezone.now())


def in_state(*states: str) -> Keys:
    found: Keys = {
        model: set(model._default_manager.filter(state__in=states).values_list("pk", flat=True))
        for model in PAID
    }
    assert all(found.values())
    return found


def states_of(keys: Keys) -> dict[str, str]:
    return {
        model.__name__: ", ".join(
            sorted(set(model._default_manager.filter(pk__in=of).values_list("state", flat=True)))
        )
        for model, of in keys.items()
    }


def sweep() -> None:
    for source in sources():
        source.sweep()


def calls(sandbox: Sandbox) -> dict[str, int]:
    """The number of calls so far for orders, cancels and checks of a code."""
    return {
        operation: len(sandbox.book.entries(operation=operation))
        for operation in ("create_order", "cancel_order", "code")
    }


def test_abandoned_claims_are_queued_again() -> None:
    claimed = in_state("claimed")
    assert Enquiry.objects.filter(state="claimed").exists()
    assert Reading.objects.filter(state="claimed").exists()
    sweep()
    assert set(states_of(claimed).values()) == {"queued"}
    assert not Enquiry.objects.filter(state="claimed").exists()
    assert not Reading.objects.filter(state="claimed").exists()


def test_calls_of_dead_loops_become_unknown_and_are_never_repeated() -> None:
    called = in_state("sending", "placing")
    numbers = set(Message.objects.filter(state="sending").values_list("recipient", flat=True))
    sweep()
    assert states_of(called) == SETTLED

    with Sandbox() as sandbox:
        for account in Account.objects.all():
            address = sandbox.base_url(account.provider)
            Account.objects.filter(pk=account.pk).update(base_url=address, paused_at=None)
        run_engine(lambda: all(number == 2 for number in calls(sandbox).values()))
        run_rounds(20)
        made = calls(sandbox)
        book = sandbox.book
        requests = " ".join(str(entry.fields) for entry in book.entries())
        ordered = str([entry.fields for entry in book.entries(operation="create_order")])
    # Each queued and each claimed row led to one call, and no other row to any.
    assert made == {"create_order": 2, "cancel_order": 2, "code": 2}
    assert "whatsapp" in ordered
    assert "telegram" not in ordered
    assert book.count("haorui", "send")
    assert [number for number in numbers if number.strip("+") in requests] == []
    assert book.repeated() == []
    assert states_of(called) == SETTLED


def test_calls_of_a_living_old_loop_are_left_alone() -> None:
    """The old version runs beside the new one until the upgrade ends."""
    called = in_state("sending", "placing")
    for model in PAID:
        for claim in model._default_manager.exclude(claim=None).values_list("claim", flat=True):
            assert claim is not None
            Heartbeat.objects.create(name=f"loop:{claim.hex}", beat_at=timezone.now())
    sweep()
    assert states_of(called) == CALLED
