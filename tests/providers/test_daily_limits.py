"""How much may go out in any 24 hours."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from pytest_django import Settings

from providers import daily_limits
from providers.daily_limits import Cap, LimitReached, caps_of, take, used
from providers.models import DailyLimit, DailyUse
from tests.factories.accounts import make_account
from tests.factories.staff import make_user
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db

CAP = Cap("codes", "number", "+8613912345678", 3)
NOON = datetime.fromisoformat("2026-03-02T12:07:00+08:00")
CODES = DailyLimit.What.CODES


def test_what_is_taken_counts() -> None:
    take([CAP], 2)
    assert used(CAP) == 2


def test_the_limit_itself_may_be_reached_but_not_passed() -> None:
    take([CAP], 3)
    with pytest.raises(LimitReached) as refused:
        take([CAP])
    assert (refused.value.used, refused.value.cap) == (3, CAP)


def test_more_than_is_left_takes_nothing() -> None:
    take([CAP], 2)
    with pytest.raises(LimitReached):
        take([CAP], 2)
    assert used(CAP) == 2


def test_a_refusal_undoes_what_was_taken_from_other_limits() -> None:
    other = Cap("codes", "prefix", "+861391234", 10)
    take([CAP], 3)
    with pytest.raises(LimitReached), transaction.atomic():
        take([other, CAP])
    assert used(other) == 0


def test_no_24_hours_hold_more_than_the_limit() -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        take([CAP], 3)
        clock.shift(timedelta(hours=24))
        with pytest.raises(LimitReached):
            take([CAP])


def test_what_is_over_a_day_old_is_free_again_when_it_was_said_to_be() -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        take([CAP], 3)
        with pytest.raises(LimitReached) as refused:
            take([CAP])
        assert refused.value.free_at - NOON <= timedelta(hours=24, minutes=15)
        clock.move_to(refused.value.free_at)
        take([CAP], 3)


def test_keys_and_kinds_do_not_share_a_limit() -> None:
    take([CAP], 3)
    take([Cap("codes", "number", "+8613912345679", 3), Cap("orders", "number", CAP.key, 3)], 3)


def test_what_was_not_used_after_all_is_free_again() -> None:
    take([CAP], 3)
    daily_limits.give_back([CAP.name], 2, timezone.now())
    assert used(CAP) == 1
    daily_limits.give_back([CAP.name, ("codes", "user", "nobody")], 5, timezone.now())
    assert used(CAP) == 0


def test_giving_back_never_frees_what_went_out_later() -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        take([CAP], 2)
        clock.shift(timedelta(hours=12))
        take([CAP], 1)
        daily_limits.give_back([CAP.name], 2, NOON)
        clock.shift(timedelta(hours=13))
        # The one of midnight counts still.
        assert used(CAP) == 1
        daily_limits.give_back([CAP.name], 2, NOON)
        assert used(CAP) == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_no_more_than_the_limit_get_through() -> None:
    def one() -> bool:
        try:
            with transaction.atomic():
                take([CAP])
        except LimitReached:
            return False
        return True

    assert sum(at_once(one, 8)) == 3
    assert used(CAP) == 3


def test_spent_rows_are_pruned_and_others_are_not() -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        take([CAP])
        clock.shift(timedelta(hours=25))
        take([Cap("codes", "user", "1", 3)])
        assert daily_limits.prune() == 1
    assert [row.scope for row in DailyUse.objects.all()] == ["user"]


def test_use_counts_until_its_quarter_of_an_hour_is_over_a_day_old() -> None:
    quarter = NOON - timedelta(minutes=7)
    with time_machine.travel(NOON, tick=False) as clock:
        take([CAP], 3)
        with pytest.raises(LimitReached) as refused:
            take([CAP])
        assert refused.value.free_at == quarter + timedelta(hours=24, minutes=15)
        clock.move_to(refused.value.free_at - timedelta(seconds=1))
        assert (used(CAP), daily_limits.prune()) == (3, 0)
        clock.shift(timedelta(seconds=1))
        assert (used(CAP), daily_limits.prune()) == (0, 1)


def test_limit_that_takes_nothing_is_free_when_the_quarter_of_now_would_be() -> None:
    with time_machine.travel(NOON, tick=False), pytest.raises(LimitReached) as refused:
        take([Cap("codes", "user", "1", 0)])
    assert refused.value.free_at == NOON + timedelta(hours=24, minutes=8)
    assert refused.value.used == 0


NEIGHBOURS = [
    Cap("orders", "number", CAP.key, 9),
    Cap("codes", "prefix", CAP.key, 9),
    Cap("codes", "number", "+8613912345679", 9),
]
"""Each shares all but one part of its name with CAP."""


def test_limits_of_another_kind_scope_or_key_are_left_alone() -> None:
    now = timezone.now()
    take(NEIGHBOURS, 2)
    take([CAP], 3)
    daily_limits.give_back([CAP.name], 2, now)
    assert used(CAP) == 1
    assert [used(cap) for cap in NEIGHBOURS] == [2, 2, 2]
    daily_limits.give_back([NEIGHBOURS[0].name], 1, now)
    assert (used(CAP), used(NEIGHBOURS[0])) == (1, 1)


def test_use_is_given_back_from_the_oldest_quarters_first() -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        take([CAP], 1)
        clock.shift(timedelta(hours=1))
        take([CAP], 2)
        daily_limits.give_back([CAP.name], 2, NOON)
        (left,) = DailyUse.objects.get().spent.values()
        assert left == 1
        clock.move_to(NOON + timedelta(hours=24, minutes=30))
        assert used(CAP) == 1


def test_what_counts_no_more_is_not_given_back() -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        take([CAP], 1)
        clock.shift(timedelta(hours=24))
        take([CAP], 1)
        daily_limits.give_back([CAP.name], 1, NOON)
        assert used(CAP) == 1
        clock.shift(timedelta(minutes=15))
        daily_limits.give_back([CAP.name], 1, NOON)
        assert used(CAP) == 1


@pytest.fixture
def collisions(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Somebody else changes every row between the look at it and the UPDATE. One entry a look."""
    looks: list[int] = []
    real = daily_limits._still_counting

    def interfere(spent: dict[str, int]) -> dict[str, int]:
        looks.append(len(looks) + 1)
        DailyUse.objects.update(version=F("version") + 1)
        return real(spent)

    take([CAP])
    monkeypatch.setattr(daily_limits, "_still_counting", interfere)
    return looks


def test_taking_is_given_up_after_fifty_collisions(collisions: list[int]) -> None:
    with pytest.raises(RuntimeError):
        take([CAP])
    assert len(collisions) == 50


def test_giving_back_is_given_up_after_fifty_collisions(collisions: list[int]) -> None:
    with pytest.raises(RuntimeError):
        daily_limits.give_back([CAP.name], 1, timezone.now())
    assert len(collisions) == 50


@pytest.mark.parametrize("given_back", [False, True])
def test_nothing_is_lost_of_what_somebody_else_takes_between_look_and_update(
    monkeypatch: pytest.MonkeyPatch, given_back: bool
) -> None:
    real, others = daily_limits._still_counting, iter([1])

    def let_another_take(spent: dict[str, int]) -> dict[str, int]:
        for _ in others:
            take([CAP])
        return real(spent)

    take([CAP])
    monkeypatch.setattr(daily_limits, "_still_counting", let_another_take)
    if given_back:
        daily_limits.give_back([CAP.name], 1, timezone.now())
    else:
        take([CAP])
    assert used(CAP) == (1 if given_back else 3)


def test_row_whose_use_was_all_given_back_is_pruned() -> None:
    take([CAP])
    daily_limits.give_back([CAP.name], 1, timezone.now())
    assert daily_limits.prune() == 1
    assert used(CAP) == 0


# --- whose limits hold -----------------------------------------------------------


def test_without_a_limit_of_their_own_the_installations_holds(settings: Settings) -> None:
    settings.DAILY_LIMITS = {"codes": 7}
    user = make_user()
    assert caps_of(make_account(), user, CODES) == [Cap("codes", "user", str(user.pk), 7)]


def test_the_highest_of_a_persons_roles_holds() -> None:
    user = make_user()
    for name, most in (("night", 5), ("day", 50)):
        group = Group.objects.create(name=name)
        user.groups.add(group)
        DailyLimit.objects.create(group=group, what=CODES, most=most)
    assert daily_limits.most_of(user, CODES) == 50


def test_a_persons_own_limit_goes_before_their_roles() -> None:
    user, group = make_user(), Group.objects.create(name="day")
    user.groups.add(group)
    DailyLimit.objects.create(group=group, what=CODES, most=50)
    DailyLimit.objects.create(user=user, what=CODES, most=0)
    assert daily_limits.most_of(user, CODES) == 0


def test_limits_of_other_people_roles_and_kinds_do_not_hold(settings: Settings) -> None:
    settings.DAILY_LIMITS = {"codes": 7}
    user, other = make_user(), make_user()
    mine, theirs = Group.objects.create(name="mine"), Group.objects.create(name="theirs")
    user.groups.add(mine)
    DailyLimit.objects.create(user=other, what=CODES, most=50)
    DailyLimit.objects.create(group=theirs, what=CODES, most=50)
    DailyLimit.objects.create(user=user, what=DailyLimit.What.ORDERS, most=50)
    DailyLimit.objects.create(group=mine, what=DailyLimit.What.ORDERS, most=50)
    assert daily_limits.most_of(user, CODES) == 7


def test_an_accounts_limit_counts_everything_that_goes_over_it() -> None:
    account = make_account(daily_limit=10)
    caps = {caps_of(account, None, what)[0] for what in DailyLimit.What}
    assert caps == {Cap("all", "account", str(account.pk), 10)}
