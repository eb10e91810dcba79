"""The fence while the engine works: no call leaves on a database that has gone back in time."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, Final
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.utils import timezone

from messaging.engine.source import MessageSource
from messaging.models import Message
from providers.engine import claims, heartbeats, leases
from providers.engine.loop import Loop
from providers.engine.work_source import sources
from providers.engine.worker_pool import WorkerPool
from providers.hold import fence, fence_files, identity, recovery, verdict
from providers.hold.fence import DatabaseOlder, DatabaseRestored, PastReplaced
from providers.models import Account, ApiCall, Enquiry, Fence, Hold, heartbeat
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.support.engine import run_engine, run_rounds, send
from tests.support.threads import at_once

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("hold_messages_only"),
]


NO_SLEEP: Final = SimpleNamespace(monotonic=time.monotonic, sleep=lambda _: None)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        running.change_settings("haorui", report_delay=None)
        yield running


@pytest.fixture
def account(sandbox: Sandbox) -> Account:
    return make_account("haorui", sandbox)


def counter() -> int:
    return Fence.objects.get().counter


def go_back(steps: int = 1) -> None:
    """The database is as old as it was that many rises ago."""
    Fence.objects.update(counter=counter() - steps)


def beat_round(loop: Loop) -> None:
    """Run a round in which a beat is due."""
    loop._past_guard._next_look = 0.0
    loop.run_round()


def states() -> list[str]:
    return list(Message.objects.order_by("pk").values_list("state", flat=True))


@pytest.fixture
def worked(account: Account) -> int:
    """The engine has sent a few messages. Returns the counter."""
    for _ in range(3):
        send(make_message(account))
    Message.objects.all().delete()
    return counter()


# --- the counter ----------------------------------------------------------------------


def test_counter_rises_with_each_marking_transaction(account: Account) -> None:
    for rises in (1, 2, 3):
        send(make_message(account))
        assert counter() == rises
        assert fence_files.highest() == rises


def test_call_that_may_be_repeated_does_not_raise_the_counter(sandbox: Sandbox) -> None:
    account = make_account("gosms", sandbox)
    enquiry = Enquiry.objects.create(account=account, kind=Enquiry.Kind.BALANCE)
    run_engine(lambda: Enquiry.objects.get(pk=enquiry.pk).state == "answered")
    assert counter() == 0


def test_mark_and_counter_are_one_transaction(account: Account) -> None:
    """No process sees a marked message without the raised counter."""
    seen: list[tuple[int, int]] = []

    def look() -> bool:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT (SELECT counter FROM providers_fence), count(*) FROM messaging_message"
                " WHERE state NOT IN ('queued', 'claimed')"
            )
            seen.append(cursor.fetchone())
        return seen[-1][1] == 20

    for _ in range(20):
        make_message(account)
    run_engine(look)
    assert all(marked == 0 or raised >= 1 for raised, marked in seen)


def test_every_copy_has_the_counter_before_a_call_begins(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[tuple[int, list[int]]] = []
    start = WorkerPool.start

    def start_and_look(self: WorkerPool, *args: Any) -> None:
        copies = fence_files.read().values()
        begun.append((counter(), [copy.counter for copy in copies if copy]))
        start(self, *args)

    monkeypatch.setattr(WorkerPool, "start", start_and_look)
    send(make_message(account))
    assert begun == [(1, [1, 1])]


def test_two_processes_never_get_the_same_value() -> None:
    fence.look()

    def rise() -> int:
        with transaction.atomic():
            return fence.rise()

    assert sorted(at_once(rise, 4)) == [1, 2, 3, 4]


def test_kill_between_commit_and_file_is_no_false_alarm(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(make_message(account))

    class Killed(BaseException):
        pass

    def die(counter: int, _: str) -> None:
        if counter > 1:
            raise Killed

    make_message(account)
    with monkeypatch.context() as patched:
        patched.setattr(fence_files, "write", die)
        with pytest.raises(Killed):
            run_rounds()
    assert counter() == 2
    assert fence_files.highest() == 1

    fence.forget()
    heartbeat("engine")
    assert verdict.decide_at_start().verdict == "trusted"
    fence.look()
    assert not Hold.objects.exists()


# --- a database that has gone back in time ----------------------------------------------


def test_call_does_not_leave_if_the_counter_does_not_rise(
    account: Account, sandbox: Sandbox, worked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database is replaced between a look and the mark, which then is rolled back."""
    made = len(sandbox.book.entries())
    loop = Loop(lambda: True)
    loop.run_round()
    go_back()
    make_message(account)
    monkeypatch.setattr(recovery, "begin", lambda *_: None)
    loop.run_round()
    assert states() == ["queued"]
    loop._shut_down()
    assert len(sandbox.book.entries()) == made
    assert states() == ["queued"]


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_older_database_is_put_on_hold_before_any_claim(
    account: Account, sandbox: Sandbox, worked: int, steps: int
) -> None:
    made = len(sandbox.book.entries())
    old = [make_message(account) for _ in range(3)]
    go_back(steps)
    run_rounds(5)
    assert states() == ["held"] * len(old)
    assert len(sandbox.book.entries()) == made
    hold = Hold.objects.get()
    assert hold.cause == Hold.Cause.OLDER
    (entry,) = hold.details["evidence"]
    assert (entry["counter"], entry["data"]["counter"]) == (worked - steps, worked)


def test_new_work_is_sent_while_the_old_is_on_hold(
    account: Account, sandbox: Sandbox, worked: int
) -> None:
    old = make_message(account)
    go_back()
    run_rounds(5)
    assert send(make_message(account)).state == "submitted"
    old.refresh_from_db()
    assert old.state == "held"


def test_restarted_process_knows_from_the_files(account: Account, worked: int) -> None:
    make_message(account)
    go_back()
    fence.forget()
    run_rounds(5)
    assert states() == ["held"]


def test_process_knows_without_the_files(account: Account, worked: int) -> None:
    loop = Loop(lambda: True)
    loop.run_round()
    for folder in fence_files.folders().values():
        (folder / fence_files.NAME).unlink()
    make_message(account)
    go_back()
    beat_round(loop)
    assert states() == ["held"]
    loop._shut_down()


def test_marked_database_is_held_without_a_start(account: Account) -> None:
    """The queues may run without `manage.py portal`, which decides at its start."""
    make_message(account)
    fence.look()
    Fence.objects.update(restored_at=timezone.now(), restored_from="portal.dump")
    run_rounds()
    assert states() == ["held"]
    assert Hold.objects.get().cause == Hold.Cause.RESTORED
    assert Fence.objects.get().restored_at is None


def test_missing_row_stops_the_engine(
    account: Account, sandbox: Sandbox, worked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As while a restore fills the tables: nothing can be put on hold yet."""
    monkeypatch.setattr("providers.engine.loop.time", NO_SLEEP)
    made = len(sandbox.book.entries())
    Fence.objects.all().delete()
    make_message(account)
    run_rounds(5)
    assert states() == ["queued"]
    assert not Hold.objects.exists()
    Fence.objects.create(pk=Fence.SINGLETON, counter=1)
    run_rounds(5)
    assert states() == ["held"]
    assert len(sandbox.book.entries()) == made


def test_engine_waits_until_a_restore_has_added_its_foreign_keys(
    account: Account, sandbox: Sandbox, worked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite's file is replaced as a whole.")
    monkeypatch.setattr("providers.engine.loop.time", NO_SLEEP)
    assert identity.is_complete()
    make_message(account)
    go_back()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype = 'f' AND conrelid = 'rentals_order'::regclass LIMIT 1"
        )
        name, definition = cursor.fetchone()
        cursor.execute(f"ALTER TABLE rentals_order DROP CONSTRAINT {name}")
        try:
            run_rounds(5)
            assert states() == ["queued"]
        finally:
            cursor.execute(f"ALTER TABLE rentals_order ADD CONSTRAINT {name} {definition}")
    run_rounds(5)
    assert states() == ["held"]


def test_nothing_is_claimed_while_a_restore_is_at_work(
    sandbox: Sandbox, worked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even a row whose slot is still ahead, or a read: neither raises the counter."""
    monkeypatch.setattr("providers.engine.loop.time", NO_SLEEP)
    monkeypatch.setattr(recovery, "recover", lambda _: False)
    rents = make_account("gosms", sandbox)
    Enquiry.objects.create(account=rents, kind=Enquiry.Kind.BALANCE)
    go_back()
    run_rounds(5)
    assert list(Enquiry.objects.values_list("state", flat=True)) == ["queued"]


# --- what a loop remembers of another past ------------------------------------------------


def claim_only(loop: Loop, account: Account) -> None:
    """Let the loop claim rows whose slot has not come."""
    for _ in range(200):
        loop.run_round()
        if Message.objects.filter(state="claimed").exists():
            return
    raise AssertionError("nothing was claimed and not marked")


def test_claims_of_another_past_are_forgotten(sandbox: Sandbox) -> None:
    account = make_account("haorui", sandbox, per_second=2, per_minute=120)
    for _ in range(4):
        make_message(account)
    loop = Loop(lambda: True)
    claim_only(loop, account)
    claimed = list(Message.objects.filter(state="claimed").values_list("pk", flat=True))
    go_back()
    beat_round(loop)
    assert set(Message.objects.filter(pk__in=claimed).values_list("state", flat=True)) == {"held"}
    assert not loop._dispatcher._reserved
    # The ids are given to other rows, as after a restore.
    Message.objects.filter(pk__in=claimed).update(state="queued", hold=None, not_before=far())
    time.sleep(0.6)
    loop.run_round()
    loop._shut_down()
    assert set(Message.objects.filter(pk__in=claimed).values_list("state", flat=True)) == {"queued"}


def far() -> Any:
    return timezone.now() + timedelta(days=1)


def test_result_of_another_past_touches_no_row_with_the_same_id(sandbox: Sandbox) -> None:
    account = make_account("haorui", sandbox)
    sandbox.fault("slow", provider="haorui", seconds=0.6)
    message = make_message(account)
    loop = Loop(lambda: True)
    while not Message.objects.filter(state="sending").exists():
        loop.run_round()
    # A restore: the id belongs to another message now, which another loop is sending.
    another = {"claim": UUID(int=7), "claimed_at": timezone.now(), "state": "sending"}
    Message.objects.filter(pk=message.pk).update(**another)
    go_back()
    loop._shut_down()
    message.refresh_from_db()
    assert (message.state, message.provider_id) == ("sending", "")
    (call,) = ApiCall.objects.all()
    assert call.subject == ""


def test_result_is_written_if_the_restored_row_is_of_this_very_claim(sandbox: Sandbox) -> None:
    account = make_account("haorui", sandbox)
    sandbox.fault("slow", provider="haorui", seconds=0.6)
    message = make_message(account)
    loop = Loop(lambda: True)
    while not Message.objects.filter(state="sending").exists():
        loop.run_round()
    go_back()
    loop._shut_down()
    message.refresh_from_db()
    assert message.state == "submitted"
    assert ApiCall.objects.get().subject == f"message:{message.pk}"


def test_old_mark_of_a_loop_that_left_a_past_is_settled(sandbox: Sandbox) -> None:
    """The backup holds a call whose answer the loop has recorded since."""
    account = make_account("haorui", sandbox)
    loop = Loop(lambda: True)
    loop.run_round()
    marked = timezone.now() - claims.ABANDONED_CALL - timedelta(seconds=1)
    times = {"claimed_at": marked, "handed_over_at": marked}
    message = make_message(account, state="sending", claim=loop.claim, **times)
    MessageSource().sweep()
    assert states() == ["sending"]
    go_back()
    beat_round(loop)
    assert heartbeats.living_loops() == [loop.claim]
    MessageSource().sweep()
    message.refresh_from_db()
    assert (message.state, message.reason) == ("unknown", "cut_off")
    # What it marks from here on it remembers.
    newer = {"claimed_at": marked, "handed_over_at": timezone.now()}
    make_message(account, state="sending", claim=loop.claim, **newer)
    MessageSource().sweep()
    assert states() == ["unknown", "sending"]
    loop._shut_down()


def test_marked_call_that_has_not_begun_does_not_begin_in_another_past(sandbox: Sandbox) -> None:
    account = make_account("haorui", sandbox, in_flight=1)
    sandbox.fault("slow", provider="haorui", calls=None, seconds=0.5)
    for _ in range(3):
        make_message(account)
    loop = Loop(lambda: True)
    while Message.objects.filter(state="sending").count() < 2:
        loop.run_round()
    Message.objects.filter(state="sending").update(state="queued", claim=None)
    go_back()
    beat_round(loop)
    time.sleep(0.8)
    loop._shut_down()
    assert sandbox.book.count("haorui", "send") == 1


def test_another_process_that_began_the_hold_is_noticed(account: Account, worked: int) -> None:
    loop = Loop(lambda: True)
    loop.run_round()
    remembered = fence._memory
    go_back()
    old = make_message(account)
    fence._memory = fence._Memory()
    try:
        Loop(lambda: True).run_round()
    finally:
        fence._memory = remembered
    new = make_message(account)
    with pytest.raises(PastReplaced):
        fence.look()
    loop.run_round()
    loop._shut_down()
    old.refresh_from_db()
    assert old.state == "held"
    assert send(new).state == "submitted"
    assert Hold.objects.count() == 1
    assert len(Hold.objects.get().details["evidence"]) == 1


# --- when it looks ------------------------------------------------------------------------


def test_standby_loop_keeps_the_counter_in_the_files(account: Account, worked: int) -> None:
    leases.renew(UUID(int=1))
    Fence.objects.update(counter=worked + 50)
    run_rounds(1)
    assert fence_files.highest() == worked + 50


def test_loop_checks_after_each_reconnect(account: Account) -> None:
    loop = Loop(lambda: True)
    loop.run_round()
    Fence.objects.update(restored_at=timezone.now())
    loop.run_round()
    assert Fence.objects.get().restored_at is not None
    connection.close()
    loop.run_round()
    assert Fence.objects.get().restored_at is None
    loop._shut_down()


def test_loop_looks_at_every_beat(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = Loop(lambda: True)
    loop.run_round()
    Fence.objects.update(restored_at=timezone.now())
    beat_round(loop)
    assert Fence.objects.get().restored_at is None
    loop._shut_down()


def test_look_names_what_is_wrong(account: Account, worked: int) -> None:
    go_back()
    with pytest.raises(DatabaseOlder, match=f"{worked - 1} after {worked}"):
        fence.look()
    Fence.objects.update(counter=worked, restored_at=timezone.now())
    with pytest.raises(DatabaseRestored):
        fence.look()


def test_new_server_is_noted_once(caplog: pytest.LogCaptureFixture) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no server.")
    fence.look()
    Fence.objects.update(identity="another/01/1")
    fence.look()
    fence.look()
    assert caplog.text.count("Another database server has taken over") == 1
    assert Fence.objects.get().identity == identity.read()


# --- sources ----------------------------------------------------------------------------


def test_fence_rises_for_exactly_those_calls_that_must_not_be_repeated() -> None:
    def never_repeated(source: Any) -> bool:
        rows: Sequence[Any] = source.rows
        return not all(one.may_repeat for one in rows)

    assert {source.name: source.never_repeated for source in sources()} == {
        source.name: never_repeated(source) for source in sources()
    }
