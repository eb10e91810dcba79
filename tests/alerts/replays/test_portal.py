"""Approvals, sign-ins, holds, secrets and the audit log of the last days."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from alerts.watches.people import EMERGENCY_ACTS
from audit.accepted import accept
from audit.breaks import breaks_of
from audit.models import ChainCheck
from core.acts import record_act
from providers import clock
from providers.models import Approval, Credential, Hold
from tests.alerts.replays.world import hours, rehearsed
from tests.factories.accounts import make_account
from tests.factories.approvals import make_approvers, make_limited, make_request
from tests.factories.staff import make_user

pytestmark = pytest.mark.django_db


def ago(number: float) -> timedelta:
    return timedelta(hours=number)


def test_requests_that_waited_together_are_one_alarm() -> None:
    make_approvers()
    asker = make_limited(messages=0)
    now = clock.now()
    for asked, decided in ((30, 29.9), (10, 8), (9, 6), (2, None)):
        _batch, request = make_request(asker, 1)
        decided_at = None if decided is None else now - ago(decided)
        state = "waiting" if decided is None else "granted"
        Approval.objects.filter(pk=request.pk).update(
            asked_at=now - ago(asked), decided_at=decided_at, state=state
        )
    found = hours(rehearsed("approval", now, limit=15).spells, now)
    assert found == [(1.75, None), (9.75, 6)]
    # The request of half an hour ago would not have waited long enough.
    assert hours(rehearsed("approval", now, limit=5).spells, now)[2:] == [(29.92, 29.9)]


def test_each_emergency_sign_in() -> None:
    now = clock.now()
    for number in (24 * 8, 5, 4):
        with time_machine.travel(now - ago(number)):
            record_act(EMERGENCY_ACTS[0], by=make_user(), subject="user:1")
    assert hours(rehearsed("emergency", now).spells, now) == [(4, 4), (5, 5)]


def test_holds_that_reach_into_the_days() -> None:
    now = clock.now()
    for began, ended in ((400, 300), (200, 160), (10, 9), (1, None)):
        Hold.objects.create(
            cause=Hold.Cause.BY_HAND,
            started_at=now - ago(began),
            ended_at=None if ended is None else now - ago(ended),
        )
    assert hours(rehearsed("hold", now).spells, now) == [(1, None), (10, 9), (168, 160)]


def test_secret_that_became_too_old() -> None:
    account = make_account(name="Main")
    now = clock.now()
    Credential.objects.filter(account=account).update(saved_at=now - timedelta(days=366))
    assert hours(rehearsed("secret", now).spells, now) == [(24, None)]
    assert rehearsed("secret", now, limit=367).spells == []


def test_break_of_the_audit_log_lasts_until_it_is_mended_or_accepted() -> None:
    now = clock.now()
    mended, accepted = ([{"kind": "cut", "seal": seal, "act": None}] for seal in (7, 8))
    for number, breaks in ((100, []), (76, mended), (52, []), (28, accepted), (4, accepted)):
        at = now - ago(number)
        check = ChainCheck.objects.create(begun_at=at, ended_at=at, breaks=breaks)
    with time_machine.travel(now - ago(20)):
        accept(next(breaks_of(check)), make_user(), "known")
    assert hours(rehearsed("audit", now).spells, now) == [(28, 20), (76, 52)]
