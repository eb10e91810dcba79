"""Which caps apply to a send."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from providers import daily_limits
from providers.caps import exemptions
from providers.caps.rules import book_of_recipients, book_of_send
from providers.caps.windows import Window
from providers.daily_limits import Cap, LimitReached, caps_of_send
from providers.models import Account, CapExemption, DailyLimit
from tests.factories.accounts import make_account
from tests.factories.staff import make_user

pytestmark = pytest.mark.django_db
NUMBER = "+8613912345678"
RANGE = "+861391234"
MESSAGES, CODES, ORDERS = DailyLimit.What


def rule(scope: str, key: str, most: int, **fields: object) -> DailyLimit:
    values = {"what": "messages", "window": "day", **fields}
    return DailyLimit.objects.create(scope=scope, key=key, most=most, **values)


def recipient_caps(what: str = MESSAGES, number: str = NUMBER, country: str = "CN") -> set[Cap]:
    single = set(book_of_send(what, None, None, number, country).recipient_caps(number, country))
    # A batch reads all rules at once and finds the same.
    assert single == set(book_of_recipients(what).recipient_caps(number, country))
    return single


def test_codes_to_a_number_have_defaults(settings: Settings) -> None:
    settings.CODES_PER_NUMBER, settings.CODES_PER_PREFIX = 12, 70
    assert {(cap.scope, cap.key, cap.window, cap.most) for cap in recipient_caps(CODES)} == {
        ("number", NUMBER, "hour", 5),
        ("number", NUMBER, "day", 12),
        ("prefix", RANGE, "day", 70),
    }
    assert recipient_caps(MESSAGES) == set()


def test_row_for_each_number_replaces_the_default() -> None:
    rule("number", "*", 2, what="codes", window="hour")
    found = {(cap.scope, cap.window): cap.most for cap in recipient_caps(CODES)}
    assert found["number", Window.HOUR] == 2
    assert found["number", Window.DAY] == 10


def test_row_of_a_number_or_country_replaces_that_of_each() -> None:
    rule("number", "*", 3)
    rule("number", NUMBER, 9)
    rule("country", "*", 0)
    rule("country", "CN", 50)
    rule("country", "US", 4)
    assert {(cap.scope, cap.most) for cap in recipient_caps()} == {("number", 9), ("country", 50)}
    other = recipient_caps(number="+491701234567", country="DE")
    assert {(cap.scope, cap.key, cap.most) for cap in other} == {
        ("number", "+491701234567", 3),
        ("country", "DE", 0),
    }


def test_every_prefix_of_the_number_applies() -> None:
    rule("prefix", "+86", 1000)
    rule("prefix", "+86139", 100)
    rule("prefix", "+86138", 1)
    rule("prefix", "*", 20)
    assert {(cap.key, cap.most) for cap in recipient_caps()} == {
        ("+86", 1000),
        ("+86139", 100),
        (RANGE, 20),
    }
    rule("prefix", RANGE, 30)
    assert (RANGE, 30) in {(cap.key, cap.most) for cap in recipient_caps()}


def test_cap_on_everything_counts_texts_and_codes_together() -> None:
    rule("number", NUMBER, 2, what="all")
    account, user = make_account(), make_user()
    daily_limits.take(caps_of_send(account, user, MESSAGES, NUMBER, "CN"))
    daily_limits.take(caps_of_send(account, user, CODES, NUMBER, "CN"))
    with pytest.raises(LimitReached):
        daily_limits.take(caps_of_send(account, user, MESSAGES, NUMBER, "CN"))


def test_people_have_windows_by_the_same_order() -> None:
    user, group, account = make_user(), Group.objects.create(name="day"), make_account()
    user.groups.add(group)

    def hourly() -> int | None:
        cap = book_of_send(MESSAGES, account, user).person_cap(user, Window.HOUR)
        return cap.most if cap else None

    assert hourly() is None
    rule("user", "*", 1, window="hour")
    assert hourly() == 1
    DailyLimit.objects.create(group=group, what="messages", window="hour", most=7)
    assert hourly() == 7
    DailyLimit.objects.create(user=user, what="messages", window="hour", most=2)
    assert hourly() == 2


def test_account_has_its_own_limit_and_those_of_its_rows() -> None:
    account, other = make_account(daily_limit=100), make_account()
    rule("account", str(account.pk), 5, window="minute")
    rule("account", str(other.pk), 6, window="minute")
    caps = book_of_send(MESSAGES, account, None).sender_caps(account, None)
    assert {(cap.what, cap.window, cap.most) for cap in caps} == {
        ("all", "day", 100),
        ("messages", "minute", 5),
    }


def test_order_has_the_cap_of_its_country() -> None:
    rule("country", "ID", 1, what="orders")
    caps = caps_of_send(make_account("gosms"), make_user(), ORDERS, "", "ID")
    assert ("country", "ID", 1) in {(cap.scope, cap.key, cap.most) for cap in caps}


# --- exemptions ----------------------------------------------------------------------


def exempt(scope: str, key: str, **fields: object) -> CapExemption:
    until = timezone.now() + timedelta(hours=1)
    values = {"until": until, "because": "load test", "by": make_user(), **fields}
    return exemptions.exempt(CapExemption.Scope(scope), key, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(("scope", "key"), [("number", NUMBER), ("prefix", "+86139123")])
def test_exempt_number_has_no_caps_until_the_exemption_ends(scope: str, key: str) -> None:
    rule("country", "CN", 0)
    exemption = exempt(scope, key)
    assert recipient_caps() == recipient_caps(CODES) == set()
    assert recipient_caps(number="+8613812345678") != set()
    CapExemption.objects.update(ends_at=timezone.now())
    assert recipient_caps() != set()
    assert not exemptions.end(exemption, make_user())


def sender_scopes(account: Account, user: object) -> set[str]:
    caps = book_of_send(MESSAGES, account, user).sender_caps(account, user)  # type: ignore[arg-type]
    return {cap.scope for cap in caps}


def test_exempt_person_or_account_has_no_caps_of_its_own() -> None:
    account, user = make_account(daily_limit=3), make_user()
    assert sender_scopes(account, user) == {"account", "user"}
    of_person = exempt("user", str(user.pk))
    assert sender_scopes(account, user) == {"account"}
    exempt("account", str(account.pk))
    assert sender_scopes(account, user) == set()
    assert exemptions.end(of_person, make_user())
    assert sender_scopes(account, user) == {"user"}


def test_ended_exemptions_stay_listed_for_a_while() -> None:
    exempt("number", NUMBER)
    CapExemption.objects.update(ends_at=timezone.now() - timedelta(days=89))
    assert exemptions.prune() == 0
    CapExemption.objects.update(ends_at=timezone.now() - timedelta(days=91))
    assert exemptions.prune() == 1


# --- cost ----------------------------------------------------------------------------


def test_rules_of_one_send_take_two_queries_and_usage_one_and_an_update_each() -> None:
    account, user = make_account(daily_limit=100), make_user()
    caps = caps_of_send(account, user, CODES, NUMBER, "CN")
    daily_limits.take(caps)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        caps = caps_of_send(account, user, CODES, NUMBER, "CN")
        daily_limits.take(caps)
    assert len(queries) == 3 + len(caps)
