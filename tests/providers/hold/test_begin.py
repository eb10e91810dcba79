"""Beginning a hold, and extending one that is open."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from core.models import Act
from messaging.models import Message
from providers.hold import fence
from providers.hold.begin import KEPT_EVIDENCE, begin
from providers.models import Fence, Hold
from tests.factories.messages import make_message

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hold_messages_only")]

OLDER = Hold.Cause.OLDER


def states() -> list[str]:
    return list(Message.objects.order_by("pk").values_list("state", flat=True))


def test_hold_keeps_what_is_known_and_what_it_holds() -> None:
    make_message()
    hold = begin(OLDER, {"counter": 3})
    assert hold == Hold.objects.get()
    assert hold.details["evidence"] == [
        {"cause": "older", "reason": "", "held": {"messages": 1}, "counter": 3}
    ]
    assert states() == ["held"]


def test_hold_is_an_act() -> None:
    make_message()
    hold = begin(OLDER, {})
    assert hold is not None
    act = Act.objects.get(what__startswith="hold.")
    assert (act.what, act.by, act.subject) == ("hold.begin", None, f"hold:{hold.pk}")
    assert act.details == {"cause": "older", "held": {"messages": 1}}


def test_hold_of_nothing_is_not_kept_and_begins_a_new_past_all_the_same() -> None:
    fence.look()
    assert begin(OLDER, {}) is None
    assert not Hold.objects.exists()
    assert fence.current_past() == 1


def test_open_hold_is_extended() -> None:
    make_message()
    first = begin(OLDER, {"counter": 3})
    make_message()
    assert begin(Hold.Cause.GAP, {"counter": 4}) == first
    assert states() == ["held", "held"]
    entries = Hold.objects.get().details["evidence"]
    assert [(entry["cause"], entry["counter"]) for entry in entries] == [("older", 3), ("gap", 4)]
    assert list(
        Act.objects.filter(what__startswith="hold.").order_by("pk").values_list("what", flat=True)
    ) == [
        "hold.begin",
        "hold.extend",
    ]


def test_first_evidence_is_always_kept() -> None:
    make_message()
    for counter in range(KEPT_EVIDENCE + 5):
        begin(OLDER, {"counter": counter})
    counters = [entry["counter"] for entry in Hold.objects.get().details["evidence"]]
    assert counters == [0, *range(6, KEPT_EVIDENCE + 5)]


def test_counter_is_lifted_above_what_this_process_has_seen() -> None:
    fence.look()
    fence.keep(500)
    begin(OLDER, {})
    assert Fence.objects.get().counter > 500
    fence.look()


def test_hold_by_hand_lifts_nothing() -> None:
    fence.look()
    make_message()
    begin(Hold.Cause.BY_HAND, {})
    assert Fence.objects.get().counter == 0


@pytest.mark.django_db(transaction=True)
def test_hold_wins_against_a_dispatcher_that_locks_in_the_other_order() -> None:
    """The hold locks the fence and then its rows; the dispatcher its rows and then the fence."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite locks the whole database.")
    message = make_message()
    fence.look()
    is_marked, holds = threading.Event(), threading.Event()
    real = fence.lock

    def lock() -> Fence:
        row = real()
        holds.set()
        return row

    def dispatch() -> None:
        try:
            with transaction.atomic():
                Message.objects.filter(pk=message.pk).update(state="claimed")
                is_marked.set()
                holds.wait(10)
                time.sleep(0.2)
                fence.rise()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, pytest.MonkeyPatch.context() as patched:
        patched.setattr(fence, "lock", lock)
        pool.submit(dispatch)
        is_marked.wait(10)
        assert begin(OLDER, {}) is not None
    assert states() == ["held"]


def run(*arguments: str) -> str:
    output = StringIO()
    call_command("hold", *arguments, stdout=output)
    return output.getvalue()


def test_command_puts_on_hold_and_keeps_the_reason() -> None:
    make_message()
    output = run("--reason", "the provider reports doubles")
    hold = Hold.objects.get()
    assert (hold.cause, hold.reason) == ("by_hand", "the provider reports doubles")
    assert output.startswith(f"On hold since {hold.started_at:%Y-%m-%d %H:%M:%S} UTC: messages 1.")
    assert Act.objects.get(what__startswith="hold.").why == hold.reason


def test_command_reports_if_nothing_waits() -> None:
    assert run("--reason", "x") == "Nothing waits, so nothing was put on hold.\n"


@pytest.mark.parametrize("arguments", [(), ("--reason", " ")])
def test_command_wants_a_reason(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="reason"):
        run(*arguments)
