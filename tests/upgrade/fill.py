"""Fill a database: every model has a row in each of its states.

`make_dump` runs this with the code of a release. The portal's own services make the rows where
this is short. Copies of them fill the states that no service reaches quickly.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import count
from typing import Any, Final

from auditlog.models import LogEntry as AuditEntry
from axes.models import AccessAttempt, AccessAttemptExpiration, AccessFailureLog, AccessLog
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.db.models import Model
from django.utils import timezone
from django_q.models import OrmQ, Task
from django_q.tasks import async_task

from audit import tasks as audit_tasks
from core.acts import record_act
from messaging.batches.states import BatchState
from messaging.models import Batch, Message
from messaging.states import MessageState
from otp.models import Attempt, Session
from otp.states import AttemptState, SessionState
from providers.accounts import new_callback_token
from providers.gateway.vocabulary import Outcome
from providers.models import (
    Account,
    ApiCall,
    Approval,
    ApprovalLimit,
    BalanceReading,
    Callback,
    CallbackTest,
    CallbackToken,
    DailyLimit,
    DailyUse,
    Enquiry,
    Heartbeat,
    Lease,
    TaskLease,
)
from providers.states import ApprovalState
from rentals.models import Cancel, Order, Reading
from rentals.states import CancelState, OrderState
from sandbox.server import Sandbox
from smsportal.startup.key_comparison import require_fitting_keys
from smsportal.task_queue.schedules import scheduled_tasks
from tests.factories.accounts import NOWHERE, make_account
from tests.factories.codes import make_session
from tests.factories.messages import make_message
from tests.factories.orders import make_order
from tests.factories.staff import make_staff, make_user
from tests.support.client_addresses import from_address
from tests.support.engine import run_rounds
from tests.upgrade.copies import in_state
from tests.upgrade.fill_messaging import fill_batches, fill_messages, fill_sessions
from tests.upgrade.fill_rentals import fill_money, fill_orders
from tests.upgrade.fill_rest import fill_rest, states_of

BY_EVENT: Final = {
    "providers.engine.task.run",
    "providers.tasks.test_callback_address",
    "messaging.batches.tasks.read",
    "messaging.batches.tasks.lay_out",
    "messaging.batches.tasks.cancel_rest",
}
"""Paths of tasks that events queue, and no schedule."""
_serial = count(1)


def fill(sandbox: Sandbox) -> None:
    staff = {role: make_staff(role) for role in ("viewer", "operator", "manager", "auditor")}
    chief = User.objects.create_user("chief", is_staff=True, is_superuser=True)
    User.objects.create_user("left", is_staff=True, is_active=False)
    make_user("messaging.view_message")
    used = fill_by_engine(sandbox, chief)
    accounts = {key: make_account(key) for key in used}
    fill_accounts(accounts, staff["manager"])
    fill_callbacks(accounts["haorui"])
    fill_messages(accounts, staff["operator"])
    fill_batches(accounts["haorui"], chief)
    fill_sessions(accounts, staff["operator"])
    fill_orders(accounts["gosms"], staff["operator"], staff["manager"])
    fill_money(accounts["gosms"], chief)
    fill_sign_ins(chief)
    fill_queue(accounts["haorui"])
    fill_limits(accounts["haorui"], staff["manager"])
    Account.objects.update(base_url=NOWHERE)
    require_fitting_keys()
    with from_address("192.0.2.7"):
        record_act("export.download", by=chief, reason="for the tax office")
    audit_tasks.seal()
    fill_rest(apps.get_models(include_auto_created=True))


def fill_by_engine(sandbox: Sandbox, by: User) -> dict[str, Account]:
    """Make the rows of real calls: answers, journal, leases, allowances, heartbeats."""
    accounts = {
        key: make_account(key, sandbox) for key in ("haosms", "haorui", "otpservice", "gosms")
    }
    for account in accounts.values():
        Enquiry.objects.create(account=account, kind=Enquiry.Kind.BALANCE, asked_by=by)
    make_message(accounts["haorui"], by=by)
    make_message(accounts["haorui"], by=by, text="Paid back. Thank you.", recipient="+14155552671")
    make_session(accounts["haosms"], recipient="+8613900001001", by=by)
    make_session(accounts["otpservice"], recipient="+8613900001002", typed="", by=by)
    make_order(accounts["gosms"], by=by)
    run_rounds(40)
    return accounts


def fill_accounts(accounts: dict[str, Account], by: User) -> None:
    now = timezone.now()
    for key, account in accounts.items():
        paused = make_account(key, name=f"{key} paused", low_balance=Decimal("10.5"))
        reason = {"paused_by": by, "pause_reason": "by_hand", "pause_words": "for a while"}
        Account.objects.filter(pk=paused.pk).update(paused_at=now, **reason)
        # `save` adds an entry to the history of changes, as in the portal.
        account.daily_limit = 500
        account.save()
        Lease.objects.get_or_create(account=account, defaults={"holder": "gone"})
        money = {"balance": "12.5", "frozen": "0.5", "available": "12", "billing_type": "prepaid"}
        BalanceReading.objects.create(account=account, is_active=True, **money)
        for kind in Enquiry.Kind:
            for state in Enquiry.State:
                enquiry = Enquiry(account=account, kind=kind, state=state, asked_by=by)
                in_state(enquiry, state)
    haorui = accounts["haorui"]
    old = new_callback_token(haorui)
    CallbackToken.objects.filter(pk=old.pk).update(revoked_at=now, last_used_at=now)
    CallbackTest.objects.create(account=haorui, ended_at=now, problem="status", detail="HTTP 502")
    for outcome in Outcome:
        ApiCall.objects.create(
            account=haorui,
            operation="send",
            subject="message:1",
            started_at=now,
            duration=0.25,
            method="POST",
            url=f"{NOWHERE}/send",
            outcome=outcome,
            http_status=200,
            request_body="{}",
            answer_body="{}",
        )
    Heartbeat.objects.update_or_create(name="queue", defaults={"beat_at": now})
    TaskLease.objects.get_or_create(name="callbacks: digest", defaults={"holder": "gone"})
    DailyUse.objects.create(what="codes", scope="number", key="+8613900000001", spent={"1": 2})


def fill_limits(account: Account, by: User) -> None:
    """Last, since they would keep the other rows from being made."""
    operators = Group.objects.get(name="operator")
    for what in DailyLimit.What:
        DailyLimit.objects.create(user=by, what=what, most=1000)
        DailyLimit.objects.create(group=operators, what=what, most=100)
    ApprovalLimit.objects.create(group=operators, messages=500, orders=5, cost=50)
    for approval_state in ApprovalState:
        Approval.objects.create(
            kind="batch",
            subject="batch:1",
            state=approval_state,
            title="a batch",
            account=account,
            count=1,
            asked_by=by,
            involved=[by.pk],
        )


def fill_callbacks(account: Account) -> None:
    token = account.callback_tokens.filter(revoked_at=None).first()
    for state in Callback.State:
        Callback.objects.create(
            account=account,
            token=token,
            digest=f"{next(_serial):064}",
            method="POST",
            query="a=b",
            body=b'{"DLRStatus": "Delivered"}',
            content_type="application/json",
            sender="127.0.0.1",
            state=state,
            kind="delivery",
            says="delivered",
            words="Delivered",
            events=1,
            outcomes=[{"state": str(state), "words": "Delivered"}],
            next_try_at=timezone.now() if state == Callback.State.RECEIVED else None,
        )


def fill_sign_ins(user: User) -> None:
    at = {"user_agent": "tests", "ip_address": "127.0.0.1", "username": user.username}
    attempt = AccessAttempt.objects.create(**at, failures_since_start=3, get_data="", post_data="")
    AccessAttemptExpiration.objects.create(access_attempt=attempt, expires_at=timezone.now())
    AccessLog.objects.create(**at, session_hash="")
    AccessFailureLog.objects.create(**at, locked_out=True)
    session = SessionStore()
    session["_auth_user_id"] = str(user.pk)
    session.create()


def fill_queue(account: Account) -> None:
    """Queue a task for each path that the portal queues. Those of batches and loops exist."""
    for duty in scheduled_tasks():
        async_task(duty.func, task_name=duty.name)
    async_task("providers.tasks.test_callback_address", account.pk, task_name="address")
    sending = account.batches.get(state=BatchState.SENDING)
    async_task("messaging.batches.tasks.cancel_rest", sending.pk, task_name="cancel rest")
    times = {"started": timezone.now(), "stopped": timezone.now()}
    for success in (True, False):
        values = {"id": uuid.uuid4().hex, "name": f"ended {success}", "result": "said"}
        Task.objects.create(func="providers.tasks.beat", success=success, **values, **times)


def missing(models: Iterable[type[Model]]) -> Iterator[str]:
    """Models without a row, states without a row, and task paths without a queued task."""
    states: dict[type[Model], type[Any]] = {
        Message: MessageState,
        Batch: BatchState,
        Session: SessionState,
        Attempt: AttemptState,
        Order: OrderState,
        Cancel: CancelState,
        Callback: Callback.State,
        Enquiry: Enquiry.State,
        Approval: ApprovalState,
        Reading: Reading.State,
    }
    for model in models:
        if not model._default_manager.exists():
            yield model._meta.label
        kept = {str(state) for state in states.get(model, ())} | set(states_of(model))
        found = set(model._default_manager.values_list("state", flat=True)) if kept else set()
        yield from (f"{model._meta.label} {state}" for state in sorted(kept - found))
    if not AuditEntry.objects.filter(content_type=ContentType.objects.get_for_model(User)).exists():
        yield "a change of staff"
    waiting = {row.task["func"] for row in OrmQ.objects.all()}
    yield from sorted(({duty.func for duty in scheduled_tasks()} | BY_EVENT) - waiting)
