"""A portal in use: rows of each kind in each state, with data of people and providers."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Final

from auditlog.models import LogEntry
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.admin.models import CHANGE
from django.contrib.admin.models import LogEntry as AdminEntry
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.utils import timezone
from django_q.models import OrmQ, Schedule, Task

from messaging.batches.states import BatchState
from messaging.models import DoNotSend, Message, Template
from messaging.states import MessageState
from otp.models import Attempt, Session
from otp.states import AttemptState, SessionState
from providers.accounts import new_callback_token
from providers.models import (
    Account,
    ApiCall,
    Approval,
    ApprovalLimit,
    BalanceReading,
    Callback,
    DailyLimit,
    Enquiry,
    Host,
)
from providers.states import ApprovalState, CallbackState, EnquiryState
from rentals.models import Finding, Project, Region, Transaction
from rentals.states import OrderState
from tests.factories.accounts import make_account
from tests.factories.batches import make_batch, start_batch
from tests.factories.codes import make_session, try_code
from tests.factories.messages import make_message
from tests.factories.orders import make_rented
from tests.factories.staff import make_user

WORDS: Final = "Provider said 服务商原话"
"""A provider's own words, in both languages."""
DATA: Final = re.compile(
    r"worker\.one|Given 名 Family 姓|(?:haorui|haosms|gosms|otpservice) \d+|staff\d+|chief"
    r"|Provider said 服务商原话|Typed reason 原因|file 文件\.csv|recipients\.csv|Own words 原话"
    r"|App name 应用名|Template (?:name 模板名|text 文本)|Text 文本 \d+|Own text 文本|purchase|t1"
    r"|[（(][A-Z]{2}(?:(?:, |、)\+\d+)?[)）]|host\.name|(?<![\w-])[\w-]{16}(?![\w-])|id\d+"
    r"|Your parcel is here\.|“[文本]” \(position \d+\)"
    r"|\{?Name\}?|WhatsApp|Telegram|Facebook|Asia/Shanghai|验证码通道1|简体中文|postpaid"
)
"""Values of these rows, of the catalogues of apps and of the settings, as pages show them."""


def fill() -> None:
    """Create a row of each kind in each state."""
    by = make_user(username="worker.one", first_name="Given 名", last_name="Family 姓")
    by.groups.add(Group.objects.get(name="manager"))
    accounts = _accounts()
    _messages(accounts, by)
    _batches(accounts["haorui"], by)
    _sessions(accounts, by)
    _orders(accounts["gosms"], by)
    _traffic(accounts, by)
    _administration(by)
    for model in (Message, Session, Account):
        for row in model._default_manager.all()[:3]:
            _history(row, by)


def _accounts() -> dict[str, Account]:
    made = {name: make_account(name) for name in ("haosms", "haorui", "otpservice", "gosms")}
    for reason in ("by_hand",):
        paused = make_account("haorui")
        Account.objects.filter(pk=paused.pk).update(
            paused_at=timezone.now(), pause_reason=reason, pause_words=WORDS
        )
    return made


def _messages(accounts: dict[str, Account], by: User) -> None:
    now = timezone.now()
    for number, state in enumerate(MessageState):
        message = make_message(accounts["haorui"], by=by, text=f"Text 文本 {number}")
        Message.objects.filter(pk=message.pk).update(
            state=state,
            reason="other_refusal" if state == "refused" else "",
            words=WORDS,
            provider_id=f"id{number}",
            handed_over_at=now,
            answered_at=now,
            reported_at=now,
            conflict=state == "delivered",
        )
    for reason in ("timed_out", "unreadable"):
        message = make_message(accounts["haorui"], by=by, recipient="+8613912345670")
        Message.objects.filter(pk=message.pk).update(state="unknown", reason=reason, words=WORDS)
    make_message(accounts["haosms"], by=by, kind=Message.Kind.OWN_CODE)
    make_message(accounts["otpservice"], by=by, kind=Message.Kind.PROVIDER_CODE)
    DoNotSend.objects.create(number="+8613912345671", added_by=by, because="Typed reason 原因")
    DoNotSend.objects.create(
        number="+8613912345672",
        added_by=by,
        because="Typed reason 原因",
        removed_at=now,
        removed_by=by,
        removed_because="Typed reason 原因",
    )
    Template.objects.create(name="Template name 模板名", text="Template text 文本")


def _batches(account: Account, by: User) -> None:
    ready = make_batch(b"Number,Name\n13912345678,One\nnot a number,Two\n13912345678,One", account)
    start_batch(make_batch("13912345678\n13912345679", account, text="Own text 文本"))
    for state in BatchState:
        batch = make_batch("13912345670", account, by=by, file_name="file 文件.csv")
        now = timezone.now()
        type(batch).objects.filter(pk=batch.pk).update(
            state=state, started_at=now, answerable=by, paused_at=now, ended_at=now, ended_by=by
        )
    assert ready.good
    for approval_state in ApprovalState:
        Approval.objects.create(
            kind="batch",
            subject=f"batch:{ready.pk}",
            state=approval_state,
            title="file 文件.csv",
            account=account,
            count=2,
            cost=Decimal("0.5"),
            due_at=now,
            passed=[{"limit": name, "most": "1", "used": "1"} for name in ("messages", "cost")],
            asked_by=by,
            why="Typed reason 原因",
            decided_by=None if state == "waiting" else by,
            decided_at=None if state == "waiting" else now,
            comment="Typed reason 原因",
        )
    ApprovalLimit.objects.create(group=Group.objects.get(name="operator"), messages=5, cost=5)


def _sessions(accounts: dict[str, Account], by: User) -> None:
    now = timezone.now()
    for number, state in enumerate(SessionState):
        session = make_session(
            accounts["haosms"], by=by, recipient=f"+86139123456{number:02}", state=state
        )
        Session.objects.filter(pk=session.pk).update(sent_at=now, provider_says_verified_at=now)
        if state == "sent":
            for _ in range(2):
                try_code(session, "000000", by)
    session = Session.objects.filter(state="sent").latest("pk")
    for outcome in AttemptState:
        if outcome not in ("queued", "claimed", "sending"):
            Attempt.objects.create(
                session=session,
                sent_code=session.codes.latest("pk"),
                account=session.account,
                state=outcome,
                created_by=by,
            )


def _orders(account: Account, by: User) -> None:
    for number, state in enumerate(OrderState):
        order = make_rented(
            account,
            by=by,
            state=state,
            project="app-code",
            provider_id=f"9{number}",
            words=WORDS,
            code="4829" if state in ("received", "completed") else "",
            warnings=["other_project"] if state == "pending" else [],
        )
        if number < len(Finding.Kind.choices):
            Finding.objects.create(
                account=account,
                order=order,
                about=order.provider_id,
                kind=Finding.Kind.values[number],
                explained_at=timezone.now() if number % 2 else None,
                explained_because="Typed reason 原因" if number % 2 else "",
            )
    Transaction.objects.create(
        account=account,
        provider_id="t1",
        type="purchase",
        amount=Decimal("0.5"),
        order_provider_id="90",
        description="Own words 原话",
    )
    Project.objects.create(provider="gosms", code="app-code", name="App name 应用名")
    Region.objects.create(provider="gosms", code="ZW", remark="Own words 原话")


def _traffic(accounts: dict[str, Account], by: User) -> None:
    now = timezone.now()
    for outcome in ("done", "refused", "unknown", ""):
        ApiCall.objects.create(
            account=accounts["haorui"],
            operation="fetch_balance",
            started_at=now,
            duration=0.7,
            method="GET",
            url="https://api.example.com/path",
            http_status=200,
            outcome=outcome,
            answer_body='{"answer": "words"}',
        )
    for state in CallbackState:
        Callback.objects.create(
            account=accounts["haorui"],
            digest=state,
            method="POST",
            query="a=b",
            body=b"{}",
            state=state,
            words=WORDS,
            outcomes=[{"state": state, "words": WORDS}] * 2,
            events=2,
        )
    new_callback_token(accounts["haorui"])
    for asked in EnquiryState:
        Enquiry.objects.create(account=accounts["haorui"], kind="balance", state=asked)
    for account in accounts.values():
        BalanceReading.objects.create(
            account=account, available=Decimal("12.5"), billing_type="postpaid"
        )
    DailyLimit.objects.create(user=by, what="messages", most=5)
    DailyLimit.objects.create(group=Group.objects.first(), what="messages", most=5)
    Host.objects.create(name="host.name", version="1.0.0", cores=2, load=1.0, memory=10**9)


def _administration(by: User) -> None:
    now = timezone.now()
    seen = {"username": by.username, "ip_address": "192.0.2.1", "user_agent": "Agent/1.0"}
    AccessLog.objects.create(**seen, path_info="/login/", attempt_time=now, logout_time=now)
    AccessFailureLog.objects.create(**seen, path_info="/login/", attempt_time=now)
    AccessAttempt.objects.create(**seen, path_info="/login/", failures_since_start=3)
    Schedule.objects.create(name="schedule.name", func="module.function", schedule_type="I")
    for success in (True, False):
        Task.objects.create(
            id=f"task{success}",
            name="task name",
            func="module.function",
            started=now - timedelta(seconds=1),
            stopped=now,
            success=success,
            result="Result of a task",
        )
    OrmQ.objects.create(key="default", payload="broken", lock=now)
    account = Account.objects.earliest("pk")
    for action, _ in LogEntry.Action.choices:
        LogEntry.objects.create(
            content_type=ContentType.objects.get_for_model(account),
            object_pk=str(account.pk),
            object_repr=str(account),
            action=action,
            actor=by,
            changes={"name": ["Old name", "New name"]},
            remote_addr="192.0.2.1",
        )


def _history(row: Model, by: User) -> None:
    AdminEntry.objects.create(
        user=by,
        content_type=ContentType.objects.get_for_model(row),
        object_id=str(row.pk),
        object_repr=str(row),
        action_flag=CHANGE,
        change_message='[{"changed": {"fields": ["name"]}}]',
    )
