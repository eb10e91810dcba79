"""Two people decide at once about real rows that are on hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from threading import Lock
from typing import TypeAlias

import pytest
from django.db import transaction
from django.utils import timezone

from core.models import Act
from messaging.models import Message
from providers.hold.decisions import (
    Decision,
    HoldEnded,
    MoreWaits,
    UnknownGroup,
    decide,
    end_if_decided,
    held_groups,
    open_hold,
)
from providers.hold.holdable import holdables
from providers.models import Account, Fence, Hold
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.factories.staff import make_user
from tests.support.holds import begin_hold
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)
COUNT = 12
ROUNDS = 8
Turn: TypeAlias = Callable[[Hold], None]


@pytest.fixture
def account() -> Account:
    return make_account()


@pytest.fixture
def hold(account: Account) -> Hold:
    for number in range(COUNT):
        make_message(account, recipient=f"+861391234{number:04}")
    return begin_hold()


def states() -> Counter[str]:
    return Counter(Message.objects.values_list("state", flat=True))


def decided_by_acts() -> Counter[str]:
    found: Counter[str] = Counter()
    for act in Act.objects.filter(what__in=("hold.release", "hold.discard")):
        found[act.what] += act.details["count"]
    return found


def test_each_row_is_decided_once_and_counted_once(account: Account, hold: Hold) -> None:
    (group,) = held_groups(hold)
    assert group.undecided == COUNT
    turns, lock = iter((True, False, True, False)), Lock()

    def one() -> int:
        with lock:
            send = next(turns)
        try:
            return sum(
                done.count for done in decide(hold, [Decision(group.key, send)], by=None, reason="")
            )
        except (HoldEnded, UnknownGroup):
            # Released rows leave the page before the hold itself ends.
            return 0

    counts = at_once(one, times=4)
    assert sorted(counts) == [0, 0, 0, COUNT]
    assert sum(decided_by_acts().values()) == COUNT
    assert states() in ({"queued": COUNT}, {"unknown": COUNT})
    assert open_hold() is None
    assert Act.objects.filter(what="hold.end").count() == 1


def test_halves_that_overlap_are_split_without_a_rest(account: Account, hold: Hold) -> None:
    (group,) = held_groups(hold)
    keys = sorted(Message.objects.values_list("pk", flat=True))
    halves, lock = iter(((True, keys[:8]), (False, keys[4:]))), Lock()

    def one() -> None:
        with lock:
            send, rows = next(halves)
        decide(hold, [Decision(group.key, send, rows)], by=None, reason="")

    at_once(one, times=2)
    found = states()
    assert found["queued"] + found["unknown"] == COUNT
    acts = decided_by_acts()
    assert (acts["hold.release"], acts["hold.discard"]) == (found["queued"], found["unknown"])
    assert open_hold() is None


def test_decision_about_more_rows_than_were_shown_is_undone(account: Account, hold: Hold) -> None:
    (group,) = held_groups(hold)
    with pytest.raises(MoreWaits):
        decide(hold, [Decision(group.key, True, shown=COUNT - 1)], by=make_user(), reason="r")
    assert states() == {"held": COUNT}
    assert not Act.objects.filter(what__startswith="hold.").exists()


def test_rows_that_join_while_the_hold_ends_are_never_left_in_an_ended_hold(
    account: Account,
) -> None:
    """As a second cause would: it finds the open hold under the lock of the fence."""
    Fence.objects.get_or_create(pk=Fence.SINGLETON)
    for serial in range(ROUNDS):
        hold = Hold.objects.create(cause=Hold.Cause.RESTORED)
        message = make_message(account, recipient=f"+861391234{serial:04}")
        turns, lock = iter((end, join)), Lock()

        def one(hold: Hold = hold, turns: Iterator[Turn] = turns, lock: Lock = lock) -> None:
            with lock:
                turn = next(turns)
            turn(hold)

        at_once(one, times=2)
        message.refresh_from_db()
        assert message.state == "held"
        assert message.hold == open_hold()
        Hold.objects.update(ended_at=timezone.now())


def end(hold: Hold) -> None:
    end_if_decided(hold, by=None)


def join(_hold: Hold) -> None:
    with transaction.atomic():
        Fence.objects.select_for_update().get(pk=Fence.SINGLETON)
        found = open_hold() or Hold.objects.create(cause=Hold.Cause.BY_HAND)
        for kind in holdables():
            kind.hold(found)
