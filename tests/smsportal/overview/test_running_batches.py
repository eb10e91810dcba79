"""The lines of batches under way, as the dashboard and the hand-over page show them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from messaging.batches import lifecycle
from providers import clock
from smsportal.overview.running_batches import batch_lines
from tests.factories.batches import make_batch, numbers

pytestmark = pytest.mark.django_db


def test_scheduled_batch_has_sent_nothing_yet() -> None:
    batch = make_batch(numbers(3))
    lifecycle.schedule(batch, batch.created_by, clock.now() + timedelta(hours=1))
    (line,) = batch_lines()
    assert line["progress"] == "0 of 3"
