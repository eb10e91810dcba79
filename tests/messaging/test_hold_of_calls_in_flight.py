"""A hold that finds calls in flight only, about which staff do not decide."""

from __future__ import annotations

import pytest
from django.utils import timezone

from providers.hold.begin import begin
from providers.models import Hold
from tests.factories.accounts import make_account
from tests.factories.messages import make_message

pytestmark = pytest.mark.django_db


def test_hold_of_calls_in_flight_alone_is_not_kept() -> None:
    now = timezone.now()
    message = make_message(make_account(), state="sending", claimed_at=now, handed_over_at=now)
    assert begin(Hold.Cause.OLDER, {}) is None
    message.refresh_from_db()
    assert (message.state, message.hold_id) == ("sending", None)
    assert not Hold.objects.exists()
