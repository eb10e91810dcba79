"""Duplicate batches and overlapping recipients are found for seven days."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from messaging.batches.duplicates import overlap_of, recent_duplicate
from messaging.models import Batch, Message
from tests.factories.accounts import make_account
from tests.factories.batches import make_batch, numbers, start_batch

pytestmark = pytest.mark.django_db

JUST_INSIDE = timedelta(days=6, hours=23, minutes=59)
JUST_OUTSIDE = timedelta(days=7, minutes=1)


@pytest.mark.parametrize(("age", "found"), [(JUST_INSIDE, True), (JUST_OUTSIDE, False)])
def test_a_duplicate_batch_is_found_for_seven_days(age: timedelta, found: bool) -> None:
    account = make_account()
    earlier = start_batch(make_batch(numbers(3), account))
    Batch.objects.filter(pk=earlier.pk).update(started_at=timezone.now() - age)
    duplicate = recent_duplicate(make_batch(numbers(3), account))
    assert duplicate == (earlier if found else None)


@pytest.mark.parametrize(("age", "found"), [(JUST_INSIDE, True), (JUST_OUTSIDE, False)])
def test_recipients_of_the_same_text_are_counted_for_seven_days(
    age: timedelta, found: bool
) -> None:
    account = make_account()
    start_batch(make_batch(numbers(3), account))
    Message.objects.update(created_at=timezone.now() - age)
    overlap = overlap_of(make_batch(numbers(5), account))
    assert (overlap.count if overlap else 0) == (3 if found else 0)
