"""Limits for any 24 hours."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from pytest_django import Settings

from providers import daily_limits
from providers.caps.windows import Window
from providers.daily_limits import Cap, LimitReached, caps_of, take, usage_of
from providers.models import DailyLimit, DailyUse
from tests.factories.accounts import make_account
from tests.factories.staff import make_user
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db

CAP = Cap("codes", "number", "+8613912345678", 3)
NOON = datetime.fromisoformat("2026-03-02T12:07:00+08:00")
CODES = DailyLimit.What.CODES


def test_taken_amount_counts_as_usage() -> None:
    take([CAP], 2)
    assert usage_of(CAP) == 2


def test_limit_can_be_reached_but_not_exceeded() -> None:
    take([CAP], 3)
    with pytest.raises(LimitReached) as reached:
        take([CAP])
    assert (reached.value.used, reached.value.cap) == (3, CAP)


def test_request_for_more_than_is_left_takes_nothing() -> None:
    take([CAP], 2)
    with pytest.raises(LimitReached):
        take([CAP], 2)
    assert usage_of(CAP) == 2


def test_reached_limit_rolls_back_the_other_limits() -> None:
    other = Cap("codes", "prefix", "+861391234", 10)
    take([CAP], 3)
    with pytest.raises(LimitReached), transaction.atomic():
        take([other, CAP])
    assert usage_of(other) == 0


def test_usage_still_counts_after_exactly_24_hours() -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        take([CAP], 3)
        clock.shift(timedelta(hours=24))
        with pytest.raises(LimitReached):
            take([CAP])


def test_usage_older_than_a_day_is_released_at_the_announced_time() -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        take([CAP], 3)
        with pytest.raises(LimitReached) as reached:
            take([CAP])
        assert reached.value.free_at - NOON <= timedelta(hours=24, minutes=15)
        clock.move_to(reached.value.free_at)
        take([CAP], 3)


def test_keys_and_kinds_have_separate_limits() -> None:
    take([CAP], 3)
    take([Cap("codes", "number", "+8613912345679", 3), Cap("orders", "number", CAP.key, 3)], 3)


def test_unused_amount_is_released() -> None:
    take([CAP], 3)
    daily_limits.release([CAP.name], 2, timezone.now())
    assert usage_of(CAP) == 1
    daily_limits.release([CAP.name, ("codes", "user", "nobody")], 5, timezone.now())
    assert usage_of(CAP) == 0


def test_release_does_not_free_later_usage() -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        take([CAP], 2)
        clock.shift(timedelta(hours=12))
        take([CAP], 1)
        daily_limits.release([CAP.name], 2, NOON)
        clock.shift(timedelta(hours=13))
        # The usage of midnight still counts.
        assert usage_of(CAP) == 1
        daily_limits.release([CAP.name], 2, NOON)
        assert usage_of(CAP) == 1


@pytest.mark.django_db(transaction=True)
def test_concurrent_requests_do_not_exceed_the_limit() -> None:
    def try_take() -> bool:
        try:
            with transaction.atomic():
                take([CAP])
        except LimitReached:
            return False
        return True

    assert sum(at_once(try_take, 8)) == 3
    assert usage_of(CAP) == 3


def test_only_expired_rows_are_pruned() -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        take([CAP])
        clock.shift(timedelta(hours=25))
        take([Cap("codes", "user", "1", 3)])
        assert daily_limits.prune() == 1
    assert [row.scope for row in DailyUse.objects.all()] == ["user"]


def test_usage_counts_until_its_quarter_of_an_hour_is_over_a_day_old() -> None:
    quarter = NOON - timedelta(minutes=7)
    with time_machine.travel(NOON, tick=False) as clock:
        take([CAP], 3)
        with pytest.raises(LimitReached) as reached:
            take([CAP])
        assert reached.value.free_at == quarter + timedelta(hours=24, minutes=15)
        clock.move_to(reached.value.free_at - timedelta(seconds=1))
        assert (usage_of(CAP), daily_limits.prune()) == (3, 0)
        clock.shift(timedelta(seconds=1))
        assert (usage_of(CAP), daily_limits.prune()) == (0, 1)


def test_limit_of_zero_names_the_release_of_the_current_quarter() -> None:
    with time_machine.travel(NOON, tick=False), pytest.raises(LimitReached) as reached:
        take([Cap("codes", "user", "1", 0)])
    assert reached.value.free_at == NOON + timedelta(hours=24, minutes=8)
    assert reached.value.used == 0


NEIGHBOURS = [
    Cap("orders", "number", CAP.key, 9),
    Cap("codes", "prefix", CAP.key, 9),
    Cap("codes", "number", "+8613912345679", 9),
]
"""Each differs from CAP in one part of its name."""


def test_limits_of_another_kind_scope_or_key_are_unaffected() -> None:
    now = timezone.now()
    take(NEIGHBOURS, 2)
    take([CAP], 3)
    daily_limits.release([CAP.name], 2, now)
    assert usage_of(CAP) == 1
    assert [usage_of(cap) for cap in NEIGHBOURS] == [2, 2, 2]
    daily_limits.release([NEIGHBOURS[0].name], 1, now)
    assert (usage_of(CAP), usage_of(NEIGHBOURS[0])) == (1, 1)


def test_release_subtracts_from_the_oldest_quarters_first() -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        take([CAP], 1)
        clock.shift(timedelta(hours=1))
        take([CAP], 2)
        daily_limits.release([CAP.name], 2, NOON)
        (left,) = DailyUse.objects.get().spent.values()
        assert left == 1
        clock.move_to(NOON + timedelta(hours=24, minutes=30))
        assert usage_of(CAP) == 1


def test_expired_usage_is_not_released() -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        take([CAP], 1)
        clock.shift(timedelta(hours=24))
        take([CAP], 1)
        daily_limits.release([CAP.name], 1, NOON)
        assert usage_of(CAP) == 1
        clock.shift(timedelta(minutes=15))
        daily_limits.release([CAP.name], 1, NOON)
        assert usage_of(CAP) == 1


@pytest.fixture
def collisions(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Another process changes every row between the read and the UPDATE. One entry per read."""
    reads: list[int] = []
    original = daily_limits._unexpired

    def interfere(spent: dict[str, int], window: Window) -> dict[str, int]:
        reads.append(len(reads) + 1)
        DailyUse.objects.update(version=F("version") + 1)
        return original(spent, window)

    take([CAP])
    monkeypatch.setattr(daily_limits, "_unexpired", interfere)
    return reads


def test_take_fails_after_fifty_collisions(collisions: list[int]) -> None:
    with pytest.raises(RuntimeError):
        take([CAP])
    assert len(collisions) == 50


def test_release_fails_after_fifty_collisions(collisions: list[int]) -> None:
    with pytest.raises(RuntimeError):
        daily_limits.release([CAP.name], 1, timezone.now())
    assert len(collisions) == 50


@pytest.mark.parametrize("released", [False, True])
def test_concurrent_usage_between_read_and_update_is_not_lost(
    monkeypatch: pytest.MonkeyPatch, released: bool
) -> None:
    original, others = daily_limits._unexpired, iter([1])

    def take_concurrently(spent: dict[str, int], window: Window) -> dict[str, int]:
        for _ in others:
            take([CAP])
        return original(spent, window)

    take([CAP])
    monkeypatch.setattr(daily_limits, "_unexpired", take_concurrently)
    if released:
        daily_limits.release([CAP.name], 1, timezone.now())
    else:
        take([CAP])
    assert usage_of(CAP) == (1 if released else 3)


def test_fully_released_row_is_pruned() -> None:
    take([CAP])
    daily_limits.release([CAP.name], 1, timezone.now())
    assert daily_limits.prune() == 1
    assert usage_of(CAP) == 0


# --- applicable limits ---------------------------------------------------------


def person_limit(user: User) -> int:
    (cap,) = caps_of(make_account(), user, CODES)
    return cap.most


def test_user_without_a_limit_has_the_default_of_the_installation(settings: Settings) -> None:
    settings.DAILY_LIMITS = {"codes": 7}
    user = make_user()
    assert caps_of(make_account(), user, CODES) == [Cap("codes", "user", str(user.pk), 7)]


def test_highest_limit_of_a_users_roles_applies() -> None:
    user = make_user()
    for name, most in (("night", 5), ("day", 50)):
        group = Group.objects.create(name=name)
        user.groups.add(group)
        DailyLimit.objects.create(group=group, what=CODES, most=most)
    assert person_limit(user) == 50


def test_own_limit_of_a_user_overrides_their_roles() -> None:
    user, group = make_user(), Group.objects.create(name="day")
    user.groups.add(group)
    DailyLimit.objects.create(group=group, what=CODES, most=50)
    DailyLimit.objects.create(user=user, what=CODES, most=0)
    assert person_limit(user) == 0


def test_limits_of_other_users_roles_and_kinds_do_not_apply(settings: Settings) -> None:
    settings.DAILY_LIMITS = {"codes": 7}
    user, other = make_user(), make_user()
    own, foreign = Group.objects.create(name="own"), Group.objects.create(name="foreign")
    user.groups.add(own)
    DailyLimit.objects.create(user=other, what=CODES, most=50)
    DailyLimit.objects.create(group=foreign, what=CODES, most=50)
    DailyLimit.objects.create(user=user, what=DailyLimit.What.ORDERS, most=50)
    DailyLimit.objects.create(group=own, what=DailyLimit.What.ORDERS, most=50)
    assert person_limit(user) == 7


def test_account_limit_covers_every_kind() -> None:
    account = make_account(daily_limit=10)
    caps = {caps_of(account, None, what)[0] for what in DailyLimit.What}
    assert caps == {Cap("all", "account", str(account.pk), 10)}
