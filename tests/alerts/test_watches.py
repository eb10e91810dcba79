"""What each kind of rule finds, and that nothing private leaves the portal with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import pytest

from alerts.facts import Facts, name_of
from alerts.kinds import BY_KEY
from alerts.watches.people import EMERGENCY_ACTS
from audit.accepted import accept
from audit.breaks import breaks_of
from audit.models import ChainCheck
from core.acts import record_act
from core.stored_texts import show
from figures.cuts import By
from figures.models import RollUp
from otp.models import Session
from providers import clock
from providers.callbacks.health import MissingReports
from providers.caps.cap import Cap
from providers.daily_limits import take
from providers.models import Account, Approval, BalanceReading, Credential, Heartbeat, Hold
from tests.alerts.world import make_rule
from tests.factories.accounts import make_account
from tests.factories.approvals import make_approvers, make_limited, make_request
from tests.factories.codes import make_sent_session
from tests.factories.messages import make_message
from tests.factories.staff import make_user

pytestmark = pytest.mark.django_db

NUMBER: Final = "+8613987651234"
BREAK: Final = {"kind": "cut", "seal": 7, "act": None}


def found(kind: str, **fields: Any) -> list[str]:
    """The texts of what a rule finds now."""
    rule = make_rule(kind, **fields)
    return [show(one.text) for one in BY_KEY[kind].find(rule, Facts(clock.now()))]


def read_balance(account: Account, amount: int, hours_ago: float = 0) -> None:
    at = clock.now() - timedelta(hours=hours_ago)
    BalanceReading.objects.create(account=account, balance=amount, available=amount, read_at=at)


def test_balance_below_the_amount_of_the_account_or_of_the_rule() -> None:
    account = make_account("gosms", name="Main", low_balance=100)
    read_balance(account, 150)
    assert found("balance") == []
    assert found("balance", limit=200) == ["Main: the balance is below 200"]
    read_balance(account, 50)
    assert len(found("balance")) == 1


def test_balance_that_runs_out_by_how_it_fell() -> None:
    account = make_account("haosms", name="Main")
    for amount, hours in ((100, 5), (80, 3), (180, 2), (120, 0)):
        read_balance(account, amount, hours)
    # 80 in 5 hours, so 120 last for 7.5 hours.
    assert len(found("runway", limit=8)) == 1
    assert found("runway", limit=7) == []


def test_cap_of_an_account_at_four_fifths() -> None:
    account = make_account(name="Main", daily_limit=10)
    take([Cap("all", "account", str(account.pk), 10)], 7)
    assert found("cap") == []
    take([Cap("all", "account", str(account.pk), 10)], 1)
    assert found("cap") == ["Main: 80% of a cap is used"]


def test_cap_of_a_person_is_counted_and_names_nobody(settings: Any) -> None:
    settings.DAILY_LIMITS = {"messages": 10, "codes": 10, "orders": 10}
    person = make_user()
    take([Cap("messages", "user", str(person.pk), 10)], 9)
    assert found("cap") == ["People who have used 80% or more of a cap: 1"]


def test_pause_by_the_portal_with_its_reason_but_not_one_by_staff() -> None:
    since = clock.now() - timedelta(minutes=10)
    make_account(name="Main", paused_at=since, pause_reason="no_balance")
    make_account(name="Other", paused_at=since, pause_reason="by_hand")
    (text,) = found("paused")
    assert text.startswith("Main is paused. Reason: ")
    assert "no_balance" not in text
    assert found("paused", limit=11) == []


def test_unknown_outcomes_of_all_kinds_per_account() -> None:
    account = make_account(name="Main")
    for _ in range(3):
        make_message(account, state="unknown")
    assert found("unknown", limit=3) == ["Main: unknown outcomes: 3"]
    assert found("unknown", limit=4) == []


def test_reports_missing_while_messages_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    account = make_account(name="Main")
    since = clock.now() - timedelta(hours=2)
    monkeypatch.setattr(
        "providers.callbacks.health._missing_reports",
        lambda ids: {account.pk: MissingReports(waiting=4, since=since)},
    )
    (text,) = found("reports")
    assert text.startswith("Main: no delivery reports for 2 h")
    assert found("reports", limit=3) == []


def test_failures_and_what_stands_out(monkeypatch: pytest.MonkeyPatch) -> None:
    account = make_account(name="Main")
    standout = {
        "by": str(By.ACCOUNT),
        "value": account.pk,
        "failed": 40,
        "count": 100,
        "usual": 0.1,
        "since": clock.now().isoformat(),
    }
    RollUp.objects.update_or_create(
        pk=1, defaults={"standouts": [standout, {**standout, "by": str(By.PERSON), "value": 1}]}
    )
    assert found("unusual") == ["Main: 40% of messages failed in the last 2 hours, usually 10%"]
    assert found("unusual", limit=31) == []


def test_approval_that_waits() -> None:
    make_approvers()
    make_request(make_limited(messages=0), 1)
    assert found("approval") == []
    Approval.objects.update(asked_at=clock.now() - timedelta(minutes=16))
    assert found("approval") == ["Requests that have waited for approval for 15 min: 1"]


def test_sign_in_with_an_emergency_account_after_the_rule_was_made() -> None:
    rule = make_rule("emergency")
    find = BY_KEY["emergency"].find
    assert list(find(rule, Facts(clock.now()))) == []
    record_act(EMERGENCY_ACTS[0], by=make_user(), subject="user:1")
    assert len(list(find(rule, Facts(clock.now())))) == 1


def test_engine_that_does_not_run() -> None:
    make_account()
    assert found("queue") == [
        "The engine is not running. Messages and orders wait; nothing is lost"
    ]


def test_hold_backup_secret_and_audit_log() -> None:
    assert found("hold") == found("backup") == found("audit") == found("secret") == []
    account = make_account(name="Main")
    Hold.objects.create(cause=Hold.Cause.BY_HAND)
    assert len(found("hold")) == 1
    Heartbeat.objects.create(name="backup", beat_at=clock.now() - timedelta(hours=27))
    assert found("backup") == ["The last backup is older than 26 h"]
    Credential.objects.filter(account=account).update(saved_at=clock.now() - timedelta(days=366))
    assert found("secret") == ["Main: a key or password is older than 365 days"]
    check = ChainCheck.objects.create(ended_at=clock.now(), breaks=[BREAK])
    assert len(found("audit")) == 1
    accept(next(breaks_of(check)), make_user(), "known")
    assert found("audit") == []


def test_codes_that_nobody_enters_name_the_account_and_count_ranges() -> None:
    account = make_account("haosms", name="Main")
    for last in range(3):
        make_sent_session(account, recipient=f"1391234500{last}")
    Session.objects.update(created_at=clock.now() - timedelta(minutes=20))
    texts = found("conversion", limit=50, least=3)
    assert "Main: only 0% of the codes of the last hour were verified" in texts
    assert "Ranges of numbers for which few codes of the last hour were verified: 1" in texts
    assert found("conversion", limit=50, least=4) == []


def test_name_of_an_account_loses_what_may_be_a_number() -> None:
    for typed in (f"Main {NUMBER}", "Main +86 139 8765 1234", "Main (0139) 8765-1234"):
        assert not any(digit in name_of(Account(name=typed)) for digit in "9876")
    assert name_of(Account(name="Main 2, 2026")) == "Main 2, 2026"
