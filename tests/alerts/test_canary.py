"""No alert has a number, a text or a code, whatever the rule found and wherever it looked.

Each kind of rule finds something in a world full of them. A new kind needs a line in `WORLDS`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final

import pytest
from django.contrib.auth.models import User
from django.utils.translation import override

from alerts.admin.sent_list import columns
from alerts.evaluate import evaluate
from alerts.kinds import KINDS, Kind
from alerts.message import title_of, write
from alerts.models import Alarm, Delivery, Rule
from alerts.presentation.sent_lines import SentLine
from alerts.states import Occasion
from alerts.watches.people import EMERGENCY_ACTS
from audit.breaks import Break
from audit.breaks import Kind as BreakKind
from audit.models import ChainCheck
from core.acts import record_act
from figures.cuts import By
from figures.models import Figure, RollUp
from figures.slots import slot_of
from figures.standouts import Standout
from messaging.models import Message
from otp.models import Session
from providers import clock
from providers.caps.cap import Cap
from providers.daily_limits import take
from providers.models import (
    Account,
    Approval,
    BalanceReading,
    Credential,
    DailyLimit,
    Heartbeat,
    Hold,
)
from tests.alerts.world import make_receiver, make_rule
from tests.factories.accounts import make_account
from tests.factories.approvals import make_approvers, make_limited, make_request
from tests.factories.codes import make_sent_session
from tests.factories.messages import make_message
from tests.factories.orders import make_rented
from tests.factories.staff import make_user

pytestmark = pytest.mark.django_db

NUMBER: Final = "+8613987651234"
CODE: Final = "739164"
TEXT: Final = "CANARYTEXT"
WORDS: Final = "CANARYWORD"
CANARIES: Final = (NUMBER, "13987651234", "87651234", "7651234", "1398765", CODE, TEXT, WORDS)
LANGUAGES: Final = ("en", "zh-hans")
DIRTY: Final = f"{TEXT} {NUMBER} {CODE}"


def make_traffic() -> None:
    """Messages, codes and orders, of accounts whose names hold a number."""
    sender = make_account(name=f"Main {NUMBER}")
    other = make_account("haosms", name=f"Codes {NUMBER}")
    rented = make_account("gosms", name=NUMBER)
    for account in (sender, other):
        codes = {"kind": "own_code", "code": CODE} if account is other else {"text": TEXT}
        for _ in range(2):
            make_message(account, recipient=NUMBER, state="unknown", **codes)
    make_sent_session(other, recipient=NUMBER.removeprefix("+86"))
    make_rented(rented)
    make_message(sender, recipient=NUMBER, text=TEXT)
    old = clock.now() - timedelta(minutes=30)
    Message.objects.update(not_before=old, words=DIRTY)
    Session.objects.update(created_at=old, sent_at=old)


def a_while_ago(**span: float) -> Any:
    return clock.now() - timedelta(**(span or {"minutes": 30}))


def low_balances() -> None:
    Account.objects.update(low_balance=100)
    for account in Account.objects.all():
        for amount, ago in ((50, 3), (5, 0)):
            BalanceReading.objects.create(
                account=account,
                balance=amount,
                available=amount,
                billing_type=WORDS,
                read_at=a_while_ago(hours=ago),
            )


def used_caps() -> None:
    Account.objects.update(daily_limit=10)
    person = make_user(username=NUMBER)
    DailyLimit.objects.create(user=person, what="messages", most=10)
    for account in Account.objects.all():
        take([Cap("all", "account", str(account.pk), 10)], 9)
    take([Cap("messages", "user", str(person.pk), 10)], 9)
    take([Cap("messages", "prefix", NUMBER[:9], 100)], 99)
    take([Cap("messages", "number", NUMBER, 100)], 99)


def pauses() -> None:
    Account.objects.update(
        paused_at=a_while_ago(), pause_reason="refused_in_a_row", pause_words=DIRTY + WORDS
    )


def waiting_reports() -> None:
    Message.objects.update(state="submitted", answered_at=a_while_ago(hours=5))


def failures() -> None:
    for account in Account.objects.all():
        Figure.objects.create(
            slot=slot_of(a_while_ago()),
            kind="text",
            account=account,
            country=NUMBER,
            state="undelivered",
            reason=WORDS,
            count=200,
            accepted=200,
            succeeded=0,
            segments=200,
            cost=0,
            unpriced=0,
        )


def standouts() -> None:
    keys: list[tuple[By, Any]] = [(By.ACCOUNT, one.pk) for one in Account.objects.all()]
    keys += [(By.COUNTRY, "CN"), (By.PERSON, make_user(username=NUMBER).pk)]
    noted = [Standout(str(by), key, 40, 99, 0.1, a_while_ago().isoformat()) for by, key in keys]
    RollUp.objects.update_or_create(pk=1, defaults={"standouts": [one.as_json() for one in noted]})


def waiting_approvals() -> None:
    make_approvers()
    batch, _request = make_request(make_limited(messages=0), 1, name=DIRTY, why=DIRTY)
    Approval.objects.update(asked_at=a_while_ago(), title=DIRTY)
    batch.staged.update(recipient=NUMBER)


def emergency_sign_in() -> None:
    person = make_user(username=NUMBER)
    record_act(EMERGENCY_ACTS[0], by=person, subject="user:1", personal={"name": DIRTY})


def hold() -> None:
    Hold.objects.create(cause=Hold.Cause.BY_HAND, reason=DIRTY, details={"numbers": [NUMBER]})


def old_backup() -> None:
    Heartbeat.objects.create(name="backup", beat_at=a_while_ago(days=40), detail=DIRTY)


def old_secrets() -> None:
    Credential.objects.update(saved_at=a_while_ago(days=400))


def broken_chain() -> None:
    found = Break(BreakKind.CUT, seal=7, found=DIRTY)
    ChainCheck.objects.create(ended_at=clock.now(), breaks=[asdict(found)])


def nothing_more() -> None:
    """The traffic is enough."""


WORLDS: Final[Mapping[str, Callable[[], None]]] = {
    "balance": low_balances,
    "runway": low_balances,
    "cap": used_caps,
    "paused": pauses,
    "unknown": nothing_more,
    "reports": waiting_reports,
    "failures": failures,
    "unusual": standouts,
    "conversion": nothing_more,
    "approval": waiting_approvals,
    "emergency": emergency_sign_in,
    "queue": nothing_more,
    "hold": hold,
    "backup": old_backup,
    "secret": old_secrets,
    "audit": broken_chain,
}


def test_every_kind_has_a_world_of_its_own() -> None:
    assert set(WORLDS) == {kind.key for kind in KINDS}


def shown(delivery: Delivery) -> list[str]:
    """All that leaves the portal with a message, and all that its log shows, in both languages."""
    assert delivery.receiver is not None
    found = [*write(delivery, delivery.receiver), json.dumps(delivery.lines), delivery.page]
    for language in LANGUAGES:
        with override(language):
            line = SentLine(delivery)
            found += [line.text, *line.lines, title_of(delivery), line.error]
            found += [str(one.value(delivery)) for one in columns(User())]
    return found


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
def test_no_alert_has_a_number_a_text_or_a_code(kind: Kind) -> None:
    make_traffic()
    limits = {"least": 1} if kind.least else {}
    if kind.key == "conversion":
        limits["limit"] = 100
    rule = make_rule(kind.key, *(make_receiver(language=one) for one in LANGUAGES), **limits)
    Rule.objects.update(created_at=clock.now() - timedelta(days=500))
    WORLDS[kind.key]()
    evaluate()
    told = list(Delivery.objects.select_related("receiver"))
    assert {delivery.rule_id for delivery in told} == {rule.pk}
    assert len(told) == len(LANGUAGES)
    texts = [text for alarm in Alarm.objects.all() for text in (alarm.subject, str(alarm.text))]
    for delivery in told:
        for occasion in (Occasion.ALERT, Occasion.AGAIN, Occasion.OVER):
            for count in (delivery.count, 99):
                delivery.occasion, delivery.count = occasion, count
                texts += shown(delivery)
    for text in texts:
        for canary in CANARIES:
            assert canary not in text, (kind.key, canary, text)
