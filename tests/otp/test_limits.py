"""Caps on codes: first sends, resends and fallbacks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import transaction

from messaging.models import Message
from otp import limits, message_sync, sessions
from otp.models import SendGap, Session
from providers import daily_limits
from providers.daily_limits import LimitReached, usage_of
from providers.models import Account, DailyLimit
from tests.factories.accounts import make_account
from tests.factories.codes import NUMBER, make_session
from tests.factories.staff import make_user

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


def take_code(account: Account) -> bool:
    SendGap.objects.all().delete()
    try:
        with transaction.atomic():
            limits.take(account, NUMBER, "CN", None)
    except LimitReached:
        return False
    return True


def test_one_number_gets_five_codes_an_hour_and_ten_a_day() -> None:
    account = make_account("haosms")
    with time_machine.travel(NOON, tick=False) as clock:
        sent = []
        for _ in range(5):
            sent.append(sum(take_code(account) for _ in range(7)))
            clock.shift(timedelta(minutes=62))
    assert sent == [5, 5, 0, 0, 0]


def blocked(**fields: object) -> DailyLimit:
    values = {"what": "codes", "most": 0, "scope": "country", "key": "CN", **fields}
    return DailyLimit.objects.create(**values)


def end_gap() -> None:
    SendGap.objects.all().delete()


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"key": "*"},
        {"scope": "prefix", "key": "+86139", "window": "hour"},
        {"scope": "number", "key": NUMBER},
        {"scope": "user", "key": "*", "window": "minute"},
        {"what": "all"},
    ],
)
def test_cap_stops_first_sends_resends_and_fallbacks(rule: dict[str, str]) -> None:
    session = make_session(fallback=make_account("haorui"))
    end_gap()
    blocked(**rule)
    with pytest.raises(LimitReached):
        make_session()
    with pytest.raises(LimitReached):
        sessions.resend(session, session.account, by=make_user(), form_token="again")
    Message.objects.filter(sent_code__session=session).update(state="refused", reason="other")
    message_sync.catch_up()
    session.refresh_from_db()
    assert (session.state, session.codes.count()) == ("failed", 1)


def test_fallback_counts_like_a_first_send() -> None:
    session = make_session(fallback=make_account("haorui"))
    Message.objects.filter(sent_code__session=session).update(state="refused", reason="other")
    message_sync.catch_up()
    assert session.codes.count() == 2
    book = daily_limits.caps_of_send(
        session.account, session.created_by, daily_limits.What.CODES, NUMBER, "CN"
    )
    used = {(cap.scope, str(cap.window)): usage_of(cap) for cap in book}
    assert used == {
        ("user", "day"): 2,
        ("number", "hour"): 2,
        ("number", "day"): 2,
        ("prefix", "day"): 2,
    }


def test_refused_code_leaves_no_session_and_starts_no_gap() -> None:
    blocked()
    with pytest.raises(LimitReached):
        make_session()
    assert not Session.objects.exists()
    assert not SendGap.objects.exists()
