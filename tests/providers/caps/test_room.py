"""Caps that are taken in bulk, beside single sends."""

from __future__ import annotations

import pytest
from django.db import transaction

from providers.caps.room import Room
from providers.caps.windows import Window
from providers.daily_limits import Cap, LimitReached, take, usage_of
from providers.models import DailyUse
from tests.support.threads import at_once

NUMBERS = [Cap("messages", "number", f"+86139123456{index:02}", 3) for index in range(4)]
COUNTRY = Cap("messages", "country", "CN", 20, Window.HOUR)


@pytest.mark.django_db
def test_row_beyond_one_cap_takes_nothing_from_the_others() -> None:
    small = Cap("messages", "country", "CN", 1)
    take([NUMBERS[0]], 2)
    with transaction.atomic():
        room = Room()
        room.lock([*NUMBERS, small])
        assert room.take_one([NUMBERS[0], small]) is None
        refused = room.take_one([NUMBERS[1], small])
        assert refused is not None
        assert refused.cap == small
        assert refused.used == 1
        assert room.take_one([NUMBERS[0]]) is not None
        room.save()
    assert [usage_of(cap) for cap in (*NUMBERS[:2], small)] == [3, 0, 1]


@pytest.mark.django_db
def test_forecast_writes_nothing() -> None:
    room = Room()
    room.read(NUMBERS)
    assert [room.take_one([NUMBERS[0]]) is None for _ in range(5)] == [True] * 3 + [False] * 2
    assert usage_of(NUMBERS[0]) == 0


@pytest.mark.django_db
def test_single_send_that_read_the_usage_before_a_bulk_one_finds_another_version() -> None:
    take([NUMBERS[0]])
    before = DailyUse.objects.get().version
    with transaction.atomic():
        room = Room()
        room.lock([NUMBERS[0]])
        assert room.take_one([NUMBERS[0]]) is None
        room.save()
    assert DailyUse.objects.get().version > before


@pytest.mark.each_database
@pytest.mark.django_db(transaction=True)
def test_bulk_and_single_sends_at_once_never_exceed_a_cap() -> None:
    """Half of the threads send single messages, half send rows of batches."""
    turns = iter(range(8))

    def send() -> int:
        is_bulk, done = next(turns) % 2 == 0, 0
        for _ in range(6):
            try:
                with transaction.atomic():
                    done += send_rows() if is_bulk else send_one()
            except LimitReached:
                continue
        return done

    def send_one() -> int:
        take([NUMBERS[1], COUNTRY])
        return 1

    def send_rows() -> int:
        room = Room()
        room.lock([*NUMBERS, COUNTRY])
        done = sum(room.take_one([number, COUNTRY]) is None for number in NUMBERS)
        room.save()
        return done

    sent = sum(at_once(send, 8))
    assert sent == sum(usage_of(cap) for cap in NUMBERS) == usage_of(COUNTRY) == 12
    assert all(usage_of(cap) == 3 for cap in NUMBERS)
