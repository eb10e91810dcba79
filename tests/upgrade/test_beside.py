"""One host of two is upgraded after the other: both versions work on one database meanwhile.

Everything is real: the hosts with the code of their versions, the pages, and the providers over
HTTP. What this test shows is what docs/en/operators/upgrade.md promises.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
import requests
from django.contrib.auth.models import User
from django.utils import timezone
from django_q.models import Task
from pytest_django import DjangoDbBlocker

from messaging.batches import lifecycle
from messaging.models import Batch, Message
from otp import check_code
from otp.models import Session
from providers.clock import database_now
from providers.engine import heartbeats
from providers.models import Account, Callback, Hold, Lease
from rentals.cancel_requests import request_cancel
from rentals.models import Order
from smsportal.task_queue.known_tasks import known_tasks
from tests.factories.batches import make_batch, numbers
from tests.factories.messages import make_message
from tests.smsportal.restores.copies import ON_SERVER, new_database_name
from tests.smsportal.restores.scene import UNDER_WAY, make_sandbox
from tests.support.round_robin import RoundRobin
from tests.support.wait_until import wait_until
from tests.upgrade import databases
from tests.upgrade.beside import FAST, ROWS, Browser, Upgrade, Watch, frozen_queue
from tests.upgrade.old_version import (
    ASK_FOR_BATCH,
    MAKE_WORK,
    NAME_UNKNOWN_TASKS,
    START_BATCH_AND_SEND,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.each_database,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not ON_SERVER, reason="several hosts share a PostgreSQL server"),
]

QUEUE: Final = "smsportal"
PAGES: Final = ("/", "/messaging/message/", "/messaging/batch/", "/otp/session/", "/rentals/order/")
NEWCOMER: Final = "newcomer"
"""A member of staff who was added to the new version."""


@pytest.fixture
def upgrade(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[Upgrade]:
    database = new_database_name()
    with django_db_blocker.unblock(), make_sandbox() as sandbox, RoundRobin() as proxy:
        sandbox.change_settings("haorui", report_delay=0.2)
        databases.create(database)
        upgrade = Upgrade(tmp_path, sandbox, database, proxy)
        try:
            yield upgrade
        finally:
            for host in (upgrade.new, upgrade.old):
                host.kill()
            databases.drop(database)


def test_both_versions_work_side_by_side(upgrade: Upgrade) -> None:
    old, new = upgrade.old, upgrade.new
    start_old_version(upgrade)
    running, scheduled, session, order = old.call(MAKE_WORK, rows=ROWS)
    wait_until(lambda: upgrade.sent() >= 5)
    staff = Browser(upgrade.proxy.url)

    check_pages_answer_during_the_migration(upgrade, staff)
    upgrade.proxy.hosts.append(new.web)
    with upgrade.site.connected():
        check_sessions_hold_on_both(upgrade, staff)
        check_files_are_served_to_old_pages(upgrade, staff)
        asked_by_old, asked_by_new = check_tasks_run_in_the_other_version(upgrade)
        check_loops_send_what_the_other_version_queued(upgrade, asked_by_old, asked_by_new)

        assert Batch.objects.get(pk=running).state == "sending"
        old.stop()
        assert old.exit_code() == 0, old.log()
        Account.objects.filter(name="bulk").update(**FAST)
        check_rest_goes_on(scheduled, session, order, upgrade)
        wait_until(lambda: has_ended() and upgrade.sandbox.wait_for_pushes())
        check_nothing_twice_and_nothing_lost(upgrade)
        check_old_version_may_start_again(upgrade, staff)


def start_old_version(upgrade: Upgrade) -> None:
    upgrade.old.start()
    upgrade.old.wait_until_ready()
    upgrade.proxy.hosts.append(upgrade.old.web)
    upgrade.make_accounts()


def check_pages_answer_during_the_migration(upgrade: Upgrade, staff: Browser) -> None:
    """And the old loop goes on sending."""
    sent = upgrade.sent()
    watch = Watch(staff, [f"http://{upgrade.old.web}{path}" for path in PAGES])
    watch.start()
    upgrade.new.start()
    upgrade.new.wait_until_ready()
    watch.stop()
    assert watch.failures == []
    assert watch.read > len(PAGES)
    assert upgrade.sent() > sent


def check_sessions_hold_on_both(upgrade: Upgrade, staff: Browser) -> None:
    # The tests' own hash of a password is not that of the hosts.
    known = User.objects.get(username="chief").password
    User.objects.create(username=NEWCOMER, password=known, is_staff=True, is_superuser=True)
    later = Browser(f"http://{upgrade.new.web}", NEWCOMER)
    for browser in (staff, later):
        for host in (upgrade.old, upgrade.new):
            for path in PAGES[:2]:
                browser.read(f"http://{host.web}{path}")


def check_files_are_served_to_old_pages(upgrade: Upgrade, staff: Browser) -> None:
    page = staff.read(f"http://{upgrade.old.web}/messaging/message/")
    paths = set(re.findall(r"/static/[^\"' ]+\.(?:css|js|svg)", page))
    assert any(path.endswith(".css") for path in paths)
    for path in paths:
        answer = requests.get(f"http://{upgrade.new.web}{path}", timeout=30)
        assert (answer.status_code, answer.history) == (200, []), path
        assert "html" not in answer.headers["Content-Type"]


def check_tasks_run_in_the_other_version(upgrade: Upgrade) -> tuple[int, int]:
    """Two files are read, each by a queue of the version that was not asked."""
    by, bulk = User.objects.get(username=NEWCOMER), Account.objects.get(name="bulk")
    with frozen_queue(upgrade.old, QUEUE):
        asked_by_old = upgrade.old.call(ASK_FOR_BATCH)
        wait_until(lambda: Batch.objects.get(pk=asked_by_old).state == "ready")
    with frozen_queue(upgrade.new, QUEUE):
        asked_by_new = make_batch(numbers(5, 30_000), bulk, by=by, read_it=False)
        wait_until(lambda: Batch.objects.get(pk=asked_by_new.pk).state == "ready")
    return asked_by_old, asked_by_new.pk


def check_loops_send_what_the_other_version_queued(
    upgrade: Upgrade, asked_by_old: int, asked_by_new: int
) -> None:
    by = User.objects.get(username=NEWCOMER)
    with frozen_queue(upgrade.old, "engine"):
        second = upgrade.site.account("haorui", "second")
        wait_until(lambda: server_of(second) == "new")
    with frozen_queue(upgrade.new, "engine"):
        third = upgrade.site.account("haorui", "third")
        wait_until(lambda: server_of(third) == "old")
    assert lifecycle.start(Batch.objects.get(pk=asked_by_old), by)
    by_new = make_message(third, recipient="+8613600000002", by=by).pk
    by_old = upgrade.old.call(START_BATCH_AND_SEND, batch=asked_by_new)
    sent = Message.objects.filter(pk__in=(by_old, by_new), state="delivered")
    wait_until(lambda: sent.count() == 2)


def server_of(account: Account) -> str:
    """The version whose loop serves the account now."""
    lease = Lease.objects.filter(account=account, expires_at__gt=database_now()).first()
    if lease is None:
        return ""
    return "new" if lease.holder in heartbeats.sharing_loops() else "old"


def check_rest_goes_on(scheduled: int, session: int, order: int, upgrade: Upgrade) -> None:
    """What the old version scheduled, sent and rented, in the hands of the new one."""
    by = User.objects.get(username=NEWCOMER)
    Batch.objects.filter(pk=scheduled).update(scheduled_for=timezone.now() - timedelta(seconds=1))
    lifecycle.start_due()
    sent = upgrade.sandbox.book.entries("otpservice", "send")
    code = str(sent[0].fields["generated_code"])
    check_code.check(Session.objects.get(pk=session), code, by=by, form_token="beside")
    wait_until(lambda: Session.objects.get(pk=session).state == "verified")
    assert request_cancel(Order.objects.get(pk=order), by)
    wait_until(lambda: Order.objects.get(pk=order).state == "cancelled")


def has_ended() -> bool:
    waiting = Message.objects.filter(state__in=UNDER_WAY).exists()
    return not waiting and set(Batch.objects.values_list("state", flat=True)) == {"finished"}


def check_nothing_twice_and_nothing_lost(upgrade: Upgrade) -> None:
    calls = upgrade.site.calls()
    assert set(calls.values()) == {1}
    assert upgrade.sandbox.book.repeated() == []
    texts = Message.objects.filter(kind=Message.Kind.TEXT)
    numbers_called = {number for number in calls if number.isdigit()}
    assert {message.recipient.removeprefix("+") for message in texts} <= numbers_called
    wait_until(lambda: set(texts.values_list("state", flat=True)) == {"delivered"})
    assert set(Callback.objects.values_list("state", flat=True)) == {"applied"}
    for host in (upgrade.old, upgrade.new):
        assert '"POST /callbacks/' in host.log()
    assert not Hold.objects.exists()
    failed = Task.objects.filter(success=False)
    # The schedules run the tasks of the new version again.
    unknown_to_old = upgrade.old.call(NAME_UNKNOWN_TASKS, names=sorted(known_tasks()))
    assert set(failed.values_list("func", flat=True)) <= set(unknown_to_old)


def check_old_version_may_start_again(upgrade: Upgrade, staff: Browser) -> None:
    """Such as after a power cut in the middle of an upgrade."""
    before = upgrade.site.calls()
    upgrade.old.start()
    upgrade.old.wait_until_ready()
    for path in PAGES:
        staff.read(f"http://{upgrade.old.web}{path}")
    upgrade.old.stop()
    assert upgrade.site.calls() == before
